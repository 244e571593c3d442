"""A test that is attended: a sleep spoils it, the traffic of others stands beside it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest

from mektep_agent.daemon.attended import attended
from mektep_agent.link.counters import Crossed
from mektep_agent.probes.probe import Run
from mektep_wire import FailureKind, Outcome, ProbeName, Reading, Trigger
from tests.support.agent_time import BOOT, SetTime, a_reading

RUN = Run(trigger=Trigger.MANUAL, boot_id=BOOT)
LOOPBACK = "ws://127.0.0.1:8081"


class Place:
    """A set clock and counters; the probe does what the test says between its beginning and its end."""

    name = ProbeName.THROUGHPUT

    def __init__(self, work: Callable[["Place"], Awaitable[None]], own_bytes: int = 0) -> None:
        self.time = SetTime()
        self.total_bytes = 0
        self._work = work
        self._own_bytes = own_bytes

    def crossed(self) -> Crossed | None:
        return Crossed(received_bytes=self.total_bytes, sent_bytes=0)

    async def run(self, run: Run) -> Sequence[Reading]:
        begun_s = self.time.monotonic_s()
        await self._work(self)
        reading = a_reading(random.Random(1), probe=ProbeName.THROUGHPUT)
        took_s = self.time.monotonic_s() - begun_s
        return [
            msgspec.structs.replace(
                reading, started_monotonic_s=begun_s, duration_s=took_s, bytes_received=self._own_bytes
            )
        ]

    def measured(self) -> Reading:
        (reading,) = asyncio.run(attended(self, RUN, LOOPBACK, self.time, self.crossed))
        return reading


async def _four_seconds(place: Place, others_bytes: int = 0, own_bytes: int = 0) -> None:
    place.time.pass_s(4.0)
    place.total_bytes += others_bytes + int(own_bytes * 1.05)


def test_a_quiet_test_has_no_traffic_beside_it() -> None:
    reading = Place(lambda place: _four_seconds(place, own_bytes=10**7), own_bytes=10**7).measured()
    assert (reading.outcome, reading.conditions.cross_traffic_mbps) == (Outcome.OK, 0.0)


def test_what_others_moved_stands_beside_the_test() -> None:
    reading = Place(lambda place: _four_seconds(place, others_bytes=5 * 10**6)).measured()
    assert reading.conditions.cross_traffic_mbps == pytest.approx(10.0)


def test_a_computer_that_slept_has_no_value_to_state() -> None:
    async def sleep(place: Place) -> None:
        place.time.pass_s(1_800.0)

    reading = Place(sleep).measured()
    assert (reading.outcome, reading.values) == (Outcome.FAILED, {})
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.INTERRUPTED


class ClockThroughSleep(asyncio.SelectorEventLoop):
    """A loop whose clock goes on through a sleep, as that of Windows does."""

    place: Place

    def time(self) -> float:
        return self.place.time.monotonic_s()


def test_a_pause_between_two_looks_is_a_sleep_where_the_loops_clock_goes_on_through_it() -> None:
    async def sleep(place: Place) -> None:
        place.time.pass_s(1_800.0)

    place = Place(sleep)
    loop = ClockThroughSleep()
    loop.place = place
    try:
        (reading,) = loop.run_until_complete(attended(place, RUN, LOOPBACK, place.time, place.crossed))
    finally:
        loop.close()
    assert reading.outcome is Outcome.FAILED


def test_counters_that_nobody_keeps_are_said_to_be_unknown() -> None:
    place = Place(_four_seconds)
    (reading,) = asyncio.run(attended(place, RUN, LOOPBACK, place.time, lambda: None))
    assert reading.conditions.cross_traffic_mbps is None
