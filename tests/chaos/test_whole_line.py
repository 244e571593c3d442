"""Any order of measuring, sending and harm: what was acknowledged is in the journal and in every store, once.

A state machine draws the steps. After each of them the promises are held against what became of every reading.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mektep_collector.store.influx import Address, InfluxStore
from tests.support.dying_folder import Moment
from tests.support.fault_proxy import Harm
from tests.support.peers.influxd import RunningInfluxd
from tests.support.whole_line import ALMATY, WholeLine

RUNS_COUNT = int(os.environ.get("MEKTEP_CHAOS_RUNS", "8"))
STEPS_COUNT = 40


class Event(StrEnum):
    """What happens beside measuring and sending."""

    AGENT_STARTED_AGAIN = "agent started again"
    OUTBOX_SPOILT = "outbox spoilt"
    TOKEN_CHANGED = "token changed"
    TOKEN_MENDED = "token mended"
    COLLECTOR_STOPPED = "collector stopped"
    COLLECTOR_STARTED = "collector started"
    DISK_FULL = "the collector's disk full"
    DISK_FREE = "the collector's disk free"
    STORE_LOST = "store lost"
    BACKED_UP = "backed up"
    RESTORED = "restored"
    STORES_FED = "stores fed"
    DAYS_CLOSED = "days closed"


_WHERE_A_COLLECTOR_RUNS = {Event.DISK_FULL, Event.STORES_FED, Event.DAYS_CLOSED}
_WHERE_ITS_DISK_HAS_ROOM = {Event.STORE_LOST, Event.BACKED_UP, Event.RESTORED}
# What ends much is drawn less often than what mends it.
_EVENTS = [
    event
    for event in Event
    for _ in range(1 if event in {Event.OUTBOX_SPOILT, Event.STORE_LOST, Event.TOKEN_CHANGED} else 3)
]
_WRONG_BY_S = (0.0, -86_400.0 * 20_000, -86_400.0 * 3_650, -7_200.0, 3_600.0, 86_400.0 * 30, 86_400.0 * 10_000)


def _machine(folder: Path, influxd_port: int, counts: Counter[str]) -> type[RuleBasedStateMachine]:
    def in_influxdb(own: Path) -> InfluxStore:
        address = Address(f"http://127.0.0.1:{influxd_port}", own.as_posix().replace("/", "_"))
        return InfluxStore(address, own, lambda _school_id: ALMATY)

    class LineUnderHarm(RuleBasedStateMachine):
        @initialize(seed=st.integers(0, 2**32))
        def begin(self, seed: int) -> None:
            counts["runs"] += 1
            self.line = WholeLine(folder / f"run-{counts['runs']}", in_influxdb, seed)

        @rule(count=st.integers(1, 60), harm=st.sampled_from([Harm.NONE, Harm.NONE, *Harm]))
        def measure_and_deliver(self, count: int, harm: Harm) -> None:
            self.line.measure(count)
            self.line.deliver(harm)

        @rule(count=st.integers(1, 60), is_full=st.booleans(), wrong_by_s=st.sampled_from(_WRONG_BY_S))
        def measure(self, count: int, is_full: bool, wrong_by_s: float) -> None:
            self.line.set_clock(wrong_by_s)
            if is_full:
                self.line.measure_on_a_full_disk(count)
            else:
                self.line.measure(count)

        @rule(harm=st.sampled_from(Harm))
        def deliver(self, harm: Harm) -> None:
            self.line.deliver(harm)

        @rule(harm=st.sampled_from([Harm.NONE, *Harm]), killed=st.none() | st.sampled_from(Moment))
        def rotate_token(self, harm: Harm, killed: Moment | None) -> None:
            self.line.rotate_token(harm, killed)

        @rule(events=st.lists(st.sampled_from(_EVENTS), min_size=1, max_size=3))
        def happen(self, events: list[Event]) -> None:
            for event in events:
                if event in _WHERE_A_COLLECTOR_RUNS and not self.line.is_running:
                    continue
                if event in _WHERE_ITS_DISK_HAS_ROOM and (not self.line.is_running or self.line.disk.is_full):
                    continue
                self.line.counts[event.value] += 1
                _DONE[event](self.line)

        @invariant()
        def nothing_is_lost_and_nothing_twice(self) -> None:
            if hasattr(self, "line"):
                self.line.check()

        def teardown(self) -> None:
            if hasattr(self, "line"):
                try:
                    self.line.settle()
                    counts["readings"] += len(self.line.put)
                    counts["arrived"] += len(self.line.journalled())
                    counts["set aside with a spoilt outbox"] += len(self.line.set_aside)
                    counts["newer than the backup that was restored"] += len(self.line.lost_by_restore)
                    counts.update(self.line.counts)
                finally:
                    self.line.close()

    return LineUnderHarm


def _fill(line: WholeLine) -> None:
    line.disk.is_full = True


def _free(line: WholeLine) -> None:
    line.disk.is_full = False


_DONE: Mapping[Event, Callable[[WholeLine], None]] = {
    Event.AGENT_STARTED_AGAIN: WholeLine.restart_agent,
    Event.OUTBOX_SPOILT: WholeLine.spoil_outbox,
    Event.TOKEN_CHANGED: WholeLine.change_token,
    Event.TOKEN_MENDED: WholeLine.mend_token,
    Event.COLLECTOR_STOPPED: WholeLine.stop_collector,
    Event.COLLECTOR_STARTED: WholeLine.start_collector,
    Event.DISK_FULL: _fill,
    Event.DISK_FREE: _free,
    Event.STORE_LOST: WholeLine.forget_store,
    Event.BACKED_UP: WholeLine.back_up,
    Event.RESTORED: WholeLine.restore,
    Event.STORES_FED: WholeLine.feed,
    Event.DAYS_CLOSED: WholeLine.close_days,
}


@pytest.mark.slow
@pytest.mark.peer
def test_nothing_is_lost_and_nothing_twice_whatever_happens(influxd: RunningInfluxd, tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    run_state_machine_as_test(
        _machine(tmp_path, influxd.port, counts),
        settings=settings(
            max_examples=RUNS_COUNT,
            stateful_step_count=STEPS_COUNT,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    print(f"lost 0, twice 0: {dict(sorted(counts.items()))}")
    assert counts["arrived"] > 0
