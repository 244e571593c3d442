"""From an errand to its readings: what is left out is said, what is put off is tagged, what it cost is counted."""

import asyncio
import random
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.courtesy import Courtesy
from mektep_agent.daemon.errands import Errands
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.measuring import Kit, Measuring
from mektep_agent.daemon.thrift import LocalCap, Thrift
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.politeness.quiet import Busy
from mektep_agent.probes.probe import Run
from mektep_agent.schedule.agenda import Agenda, Errand
from mektep_agent.uplink.leases import Turn
from mektep_wire import Conditions, Direction, Metric, Outcome, ProbeName, Reading, SkipReason, Trigger, decode
from mektep_wire.school_calendar import SchoolCalendar
from tests.support.agent_time import BOOT, MONDAY_NOON, SetTime, a_reading
from tests.support.school_assignment import HOLIDAYS_2026, school

SLOT = Errand(
    probe=ProbeName.THROUGHPUT, trigger=Trigger.SLOT, slot="2026-11-23/2", mark="2026-11-23/2",
    latest_at=MONDAY_NOON + timedelta(hours=1),
)  # fmt: skip


class FakeProbe:
    """Gives one good reading of a million bytes, with the conditions that it was told."""

    def __init__(self, name: ProbeName) -> None:
        self.name = name

    async def run(self, run: Run) -> Sequence[Reading]:
        reading = a_reading(random.Random(4), probe=self.name)
        changed = msgspec.structs.replace(reading, conditions=run.conditions, slot=run.slot, bytes_received=1_000_000)
        if self.name is ProbeName.PATH:
            changed = msgspec.structs.replace(changed, values={Metric.GATEWAY_RTT_MS: 2.0}, sample_counts={})
        return [changed]


class Desk:
    """The parts that an errand passes, on a set clock. `turns` are the collector's answers, then the line is free."""

    def __init__(self, place: Path, **assigned: object) -> None:
        self.time = SetTime()
        known = KnownTime(self.time, BOOT)
        folder = StateFolder(place)
        self.kept = Outbox(folder, self.time, random.Random(1), max_bytes=67_108_864, ballast_bytes=0)
        self.outbox = ThreadedOutbox(self.kept)
        measuring = Measuring(self.outbox, known, Conditions, random.Random(2), lambda _: None)
        probes = {name: FakeProbe(name) for name in (ProbeName.THROUGHPUT, ProbeName.LATENCY, ProbeName.PATH)}
        measuring.kit = Kit(probes=probes, targets=dict.fromkeys(probes, "ws://127.0.0.1:8081"))
        self.measuring = measuring
        self.turns: list[Turn] = []
        self.asked: list[Turn] = []
        self.thrift = Thrift(folder, known, LocalCap())
        assignment = school(**assigned)  # type: ignore[arg-type]
        begin = datetime(2026, 11, 1, tzinfo=UTC)
        self.thrift.follow(
            assignment,
            Agenda(
                assignment, SchoolCalendar(assignment, HOLIDAYS_2026), tuple(probes),
                up_at=begin, since=begin, startup_at=None, marks=(),
            ),
        )  # fmt: skip
        self.courtesy = Courtesy(
            known, random.Random(3), measuring.line, lambda: None, self.lease, lambda: 0, self.sleep
        )
        self.errands = Errands(measuring, self.thrift, self.courtesy, self.outbox)

    async def sleep(self, seconds: float) -> None:
        self.time.pass_s(seconds)
        await asyncio.sleep(0)

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[Turn]:
        turn = self.turns.pop(0) if self.turns else Turn()
        self.asked.append(turn)
        yield turn

    def run(self, errand: Errand) -> Sequence[Reading]:
        return asyncio.run(self.errands.run(errand))

    def waiting(self) -> list[Reading]:
        return [decode(Reading, one.payload) for one in self.kept.parcel(100, 10**6).queued]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.outbox.close()


def test_a_test_is_counted_with_what_it_moved(desk: Desk) -> None:
    (reading,) = desk.run(SLOT)
    assert reading.outcome is Outcome.OK
    assert 1_060_000 <= desk.thrift.used_bytes <= 1_100_000


def test_a_slot_without_budget_is_a_skipped_reading_with_its_mark(tmp_path: Path) -> None:
    desk = Desk(tmp_path, month_budget_bytes=1_000)
    readings = desk.run(SLOT)
    assert [(one.direction, one.skip, one.slot) for one in readings] == [
        (direction, SkipReason.DATA_BUDGET, SLOT.slot) for direction in Direction
    ]
    assert desk.waiting() == list(readings)
    assert desk.kept.marks() == {SLOT.mark}
    assert desk.thrift.used_bytes == 0
    desk.outbox.close()


def test_a_round_trip_without_budget_is_said_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path, month_budget_bytes=0)
    (reading,) = desk.run(Errand(probe=ProbeName.LATENCY, trigger=Trigger.INTERVAL, tick=7))
    assert (reading.probe, reading.skip, reading.direction) == (ProbeName.LATENCY, SkipReason.DATA_BUDGET, None)
    desk.outbox.close()


def test_a_test_within_this_computer_waits_for_nobody(desk: Desk) -> None:
    desk.run(SLOT)
    assert (desk.asked, desk.time.now()) == ([], MONDAY_NOON)


def test_round_trips_of_good_readings_become_the_baseline_and_outlive_a_restart(desk: Desk) -> None:
    for tick in range(9):
        desk.run(Errand(probe=ProbeName.PATH, trigger=Trigger.INTERVAL, tick=tick))
    assert desk.courtesy.baselines.by_busy[Busy.GATEWAY_RTT].idle_ms == 2.0
    learnt = desk.courtesy.baselines
    desk.courtesy.baselines = type(learnt)()
    asyncio.run(desk.errands.recall())
    assert desk.courtesy.baselines == learnt


def test_a_test_that_was_put_off_says_how_often(desk: Desk) -> None:
    (reading,) = asyncio.run(desk.errands.run_now(SLOT, 3))
    assert reading.conditions.deferral_count == 3
    assert desk.waiting() == [reading]
