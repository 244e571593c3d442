"""Waiting for a quiet line: put off while others use it, run at the slot's end all the same, and said so."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from mektep_agent.daemon.courtesy import Courtesy, Permission
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.link.counters import Crossed
from mektep_agent.politeness.quiet import Busy
from mektep_agent.schedule.agenda import Errand
from mektep_agent.uplink.leases import Turn
from mektep_wire import LeaseEnd, Metric, ProbeName, SkipReason, Trigger
from tests.support.agent_time import BOOT, MONDAY_NOON, SetTime, a_reading

SLOT_S = 7_200.0


class Line:
    """A line whose other users a test scripts, on a clock that moves only while someone sleeps."""

    def __init__(self, others_mbps: Callable[[float], float] = lambda _: 0.0, turns: Sequence[Turn] = ()) -> None:
        self.time = SetTime()
        self.known = KnownTime(self.time, BOOT)
        self.others_mbps = others_mbps
        self.turns = list(turns)
        self.asked_count = 0
        self.ends: list[LeaseEnd] = []
        self.crossed_bytes = 0.0
        self.own_bytes = 0
        self.slept: list[float] = []
        self.courtesy = Courtesy(
            self.known, random.Random(3), asyncio.Lock(), self.crossed, self.lease, lambda: self.own_bytes, self.sleep
        )

    @property
    def past_s(self) -> float:
        return (self.time.now() - MONDAY_NOON).total_seconds()

    def crossed(self) -> Crossed | None:
        return Crossed(received_bytes=int(self.crossed_bytes), sent_bytes=0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.crossed_bytes += self.others_mbps(self.past_s) * 125_000 * seconds
        self.time.pass_s(seconds)
        await asyncio.sleep(0)

    @asynccontextmanager
    async def lease(self) -> AsyncGenerator[Turn]:
        self.asked_count += 1
        turn = self.turns.pop(0) if self.turns else Turn()
        yield turn
        if turn.taken_for_s is None:
            self.ends.append(turn.end)

    def permitted(self, end: LeaseEnd = LeaseEnd.MEASURED, slot_s: float = SLOT_S) -> Permission:
        errand = Errand(
            probe=ProbeName.THROUGHPUT, trigger=Trigger.SLOT, slot="2026-11-23/2",
            latest_at=MONDAY_NOON + timedelta(seconds=slot_s),
        )  # fmt: skip

        async def ask() -> Permission:
            async with asyncio.timeout(20), self.courtesy.permission(errand) as permission:
                permission.end = end
                return permission

        return asyncio.run(ask())


def test_a_quiet_line_is_used_after_ten_seconds_of_looking() -> None:
    line = Line()
    assert (line.permitted().deferral_count, line.past_s) == (0, 10.0)
    assert line.ends == [LeaseEnd.MEASURED]


def test_a_busy_line_is_waited_for() -> None:
    line = Line(lambda past_s: 5.0 if past_s < 600 else 0.0)
    permission = line.permitted()
    assert permission.skip is None
    assert 3 <= permission.deferral_count <= 6
    assert 600 <= line.past_s < 1_500


def test_a_line_that_is_always_busy_is_measured_at_the_slots_end() -> None:
    line = Line(lambda _: 5.0)
    permission = line.permitted()
    assert permission.skip is None
    assert permission.deferral_count >= 8
    assert SLOT_S <= line.past_s <= SLOT_S + 20
    assert line.asked_count == 1, "the school's line is asked for when it is needed"


def test_our_own_deliveries_are_not_others() -> None:
    line = Line(lambda _: 5.0)

    async def sleep(seconds: float) -> None:
        line.own_bytes += int(5.0 * 125_000 * seconds)
        await Line.sleep(line, seconds)

    line.courtesy = Courtesy(
        line.known, random.Random(3), asyncio.Lock(), line.crossed, line.lease, lambda: line.own_bytes, sleep
    )
    assert line.permitted().deferral_count == 0


def test_counters_that_nobody_keeps_put_nothing_off() -> None:
    line = Line(lambda _: 5.0)
    line.courtesy = Courtesy(
        line.known, random.Random(3), asyncio.Lock(), lambda: None, line.lease, lambda: 0, line.sleep
    )
    assert line.permitted().deferral_count == 0


@pytest.mark.parametrize(("now_ms", "deferrals"), [(2.5, False), (40.0, True)])
def test_long_round_trips_to_the_gateway_tell_of_other_computers(now_ms: float, *, deferrals: bool) -> None:
    line = Line()
    for _ in range(10):
        reading = a_reading(random.Random(1), probe=ProbeName.PATH)
        reading.values.clear()
        reading.values[Metric.GATEWAY_RTT_MS] = 2.0
        assert line.courtesy.learn([reading])

    async def look() -> float | None:
        return now_ms if line.past_s < 300 else 2.0

    line.courtesy.looks = {Busy.GATEWAY_RTT: look}
    assert (line.permitted().deferral_count > 0) is deferrals


def test_another_device_that_measures_is_waited_for() -> None:
    line = Line(turns=[Turn(taken_for_s=90.0)])
    permission = line.permitted()
    assert (permission.deferral_count, permission.skip) == (1, None)
    assert 100.0 <= line.past_s <= 125.0
    assert line.asked_count == 2


def test_a_slot_in_which_only_another_device_could_measure_is_its() -> None:
    line = Line(turns=[Turn(taken_for_s=120.0, measured_before_s=30.0) for _ in range(200)])
    permission = line.permitted(LeaseEnd.NOT_MEASURED)
    assert permission.skip is SkipReason.OTHER_PROBER
    assert line.past_s >= SLOT_S


def test_a_line_that_is_held_all_the_slot_without_a_test_is_measured_all_the_same() -> None:
    line = Line(turns=[Turn(taken_for_s=120.0, measured_before_s=None) for _ in range(200)])
    assert line.permitted().skip is None


def test_a_computer_that_slept_past_the_slot_was_off_for_it() -> None:
    line = Line(lambda _: 5.0)

    async def sleep(seconds: float) -> None:
        await Line.sleep(line, seconds)
        if seconds > 20:
            line.time.pass_s(4 * 3_600.0)

    line.courtesy = Courtesy(line.known, random.Random(3), asyncio.Lock(), line.crossed, line.lease, lambda: 0, sleep)
    assert line.permitted().skip is SkipReason.MACHINE_OFF
    assert line.asked_count == 0
