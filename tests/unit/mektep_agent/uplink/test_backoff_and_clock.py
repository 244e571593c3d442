"""Waits that grow with full jitter, and the clock that was compared once."""

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.uplink.backoff import BASE_S, CAP_S, Backoff
from mektep_agent.uplink.clock_comparison import ClockComparison, clock_state, true_now
from mektep_wire import Clock
from tests.support.agent_time import BOOT, MONDAY_NOON, SetTime


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_a_wait_never_exceeds_its_ceiling(seed: int, failures: int) -> None:
    backoff = Backoff(random.Random(seed))
    waits_s = [backoff.next_s() for _ in range(failures)]
    assert all(0 <= wait_s <= min(CAP_S, BASE_S * 2**number) for number, wait_s in enumerate(waits_s))
    assert backoff.failures_count == failures
    backoff.succeed()
    assert backoff.next_s() <= BASE_S


def test_jitter_fills_the_whole_range_so_that_a_fleet_does_not_come_back_at_once() -> None:
    waits_s = []
    for seed in range(2_000):
        backoff = Backoff(random.Random(seed))
        for _ in range(12):
            wait_s = backoff.next_s()
        waits_s.append(wait_s)
    tenths = [sum(1 for wait_s in waits_s if number <= wait_s / CAP_S * 10 < number + 1) for number in range(10)]
    assert min(tenths) > 130


@given(st.floats(0, 10**7), st.floats(-(10**8), 10**8), st.floats(0, 10**6))
def test_true_time_follows_the_monotonic_clock_whatever_the_wall_clock_does(
    monotonic_s: float, step_s: float, passed_s: float
) -> None:
    time = SetTime(monotonic_s=monotonic_s)
    comparison = ClockComparison(boot_id=BOOT, monotonic_s=monotonic_s, true_at=MONDAY_NOON)
    time.step_s(step_s)
    time.pass_s(passed_s)
    assert abs(true_now(comparison, time) - MONDAY_NOON - timedelta(seconds=passed_s)) < timedelta(milliseconds=1)
    clock = clock_state(comparison, time)
    assert clock.offset_s is not None
    assert abs(clock.offset_s + step_s) < 0.001


def test_without_a_comparison_nothing_is_claimed() -> None:
    assert clock_state(None, SetTime()) == Clock()
    assert true_now(None, SetTime()) == MONDAY_NOON
