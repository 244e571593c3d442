"""Errands: one measurement at a time, readings kept with their mark, an end or a sleep in mid-test said as such."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.measuring import Kit, Measuring
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.probes.probe import NO_BOOT, Run
from mektep_agent.schedule.agenda import Errand
from mektep_agent.schedule.slots import Slot
from mektep_agent.uplink.clock_comparison import ClockComparison
from mektep_wire import (
    ClockStatus,
    Conditions,
    Direction,
    FailureKind,
    Outcome,
    ProbeName,
    Reading,
    SkipReason,
    Trigger,
    decode,
)
from tests.support.agent_time import BOOT, MONDAY_NOON, OTHER_BOOT, SetTime, a_reading

CHANCE = random.Random(5)
ERRAND = Errand(probe=ProbeName.THROUGHPUT, trigger=Trigger.SLOT, slot="2026-11-23/2", mark="2026-11-23/2")


class FakeProbe:
    """A probe that does what the test says, and counts how many run at once."""

    name = ProbeName.THROUGHPUT

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self.running_count = self.most_count = 0
        self.runs: list[Run] = []

    async def run(self, run: Run) -> Sequence[Reading]:
        self.runs.append(run)
        self.running_count += 1
        self.most_count = max(self.most_count, self.running_count)
        try:
            await self._work()
        finally:
            self.running_count -= 1
        return [a_reading(CHANCE, probe=ProbeName.THROUGHPUT)]


class Desk:
    """What `Measuring` needs, on a set clock."""

    def __init__(self, place: Path) -> None:
        self.time = SetTime()
        self.known = KnownTime(self.time, BOOT)
        self.kept = Outbox(StateFolder(place), self.time, random.Random(1), max_bytes=67_108_864, ballast_bytes=0)
        self.outbox = ThreadedOutbox(self.kept)
        self.told: list[Reading] = []

    def measuring(self, probe: FakeProbe) -> Measuring:
        made = Measuring(self.outbox, self.known, Conditions, random.Random(2), self.told.extend)
        made.kit = Kit(probes={probe.name: probe}, targets={probe.name: "ws://measure.example:8081"})
        return made

    def waiting(self) -> list[Reading]:
        return [decode(Reading, one.payload) for one in self.kept.parcel(100, 10**6).queued]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.outbox.close()


async def _at_once() -> None:
    await asyncio.sleep(0)


def test_readings_are_kept_with_their_mark_and_told(desk: Desk) -> None:
    kept = asyncio.run(desk.measuring(FakeProbe(_at_once)).run(ERRAND))
    assert desk.waiting() == list(kept) == desk.told
    assert desk.kept.marks() == {"2026-11-23/2"}


def test_a_run_knows_its_slot_boot_and_clock(desk: Desk) -> None:
    desk.known.learn(ClockComparison(boot_id=BOOT, monotonic_s=1_000.0, true_at=MONDAY_NOON))
    desk.time.step_s(-3_600.0)
    probe = FakeProbe(_at_once)
    asyncio.run(desk.measuring(probe).run(ERRAND))
    (run,) = probe.runs
    assert (run.trigger, run.slot, run.boot_id) == (Trigger.SLOT, "2026-11-23/2", BOOT)
    assert (run.clock.status, run.clock.offset_s) == (ClockStatus.COMPARED, 3_600.0)


def test_a_comparison_of_another_boot_is_not_believed(desk: Desk) -> None:
    desk.known.learn(ClockComparison(boot_id=OTHER_BOOT, monotonic_s=1.0, true_at=MONDAY_NOON))
    assert not desk.known.is_compared


def test_two_errands_never_measure_at_once(desk: Desk) -> None:
    probe = FakeProbe(_at_once)
    measuring = desk.measuring(probe)

    async def both() -> None:
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(measuring.run(ERRAND))

    asyncio.run(both())
    assert (probe.most_count, len(desk.waiting())) == (1, 3)


def test_a_test_that_the_agents_end_cuts_short_is_kept_as_interrupted(desk: Desk) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def end_in_the_middle() -> None:
        async with asyncio.timeout(10):
            running = asyncio.create_task(desk.measuring(FakeProbe(hang)).run(ERRAND))
            await begun.wait()
            desk.time.pass_s(3.0)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    asyncio.run(end_in_the_middle())
    waiting = desk.waiting()
    assert [reading.direction for reading in waiting] == [Direction.DOWNLOAD, Direction.UPLOAD]
    assert {reading.failure.kind for reading in waiting if reading.failure} == {FailureKind.INTERRUPTED}
    assert {reading.duration_s for reading in waiting} == {3.0}
    assert desk.kept.marks() == {"2026-11-23/2"}


def test_a_test_that_the_computer_slept_through_has_no_values(desk: Desk) -> None:
    async def sleep_an_hour() -> None:
        desk.time.pass_s(3_600.0)  # the agent's clock counts the sleep, the event loop's does not

    (reading,) = asyncio.run(desk.measuring(FakeProbe(sleep_an_hour)).run(ERRAND))
    assert (reading.outcome, reading.values) == (Outcome.FAILED, {})
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.INTERRUPTED


def test_a_bug_in_a_probe_propagates_and_keeps_nothing(desk: Desk) -> None:
    async def bug() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(desk.measuring(FakeProbe(bug)).run(ERRAND))
    assert desk.waiting() == []


def test_a_slot_that_the_computer_was_off_for_is_a_skipped_reading_at_its_planned_time(desk: Desk) -> None:
    desk.known.learn(ClockComparison(boot_id=BOOT, monotonic_s=1_000.0, true_at=MONDAY_NOON))
    desk.time.step_s(-3_600.0)
    slot = Slot("2026-11-23/1", MONDAY_NOON, MONDAY_NOON, MONDAY_NOON)
    asyncio.run(desk.measuring(FakeProbe(_at_once)).record_missed([slot]))
    waiting = desk.waiting()
    assert [reading.direction for reading in waiting] == [Direction.DOWNLOAD, Direction.UPLOAD]
    for reading in waiting:
        assert (reading.outcome, reading.skip, reading.slot) == (
            Outcome.SKIPPED,
            SkipReason.MACHINE_OFF,
            "2026-11-23/1",
        )
        assert reading.boot_id == NO_BOOT
        assert (MONDAY_NOON - reading.started_at).total_seconds() == reading.clock.offset_s == 3_600.0
    assert desk.kept.marks() == {"2026-11-23/1"}
