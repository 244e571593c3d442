"""When the line counts as quiet, what round trips tell, and how long a test is put off."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.politeness.cross_traffic import Rates
from mektep_agent.politeness.deferral import FIRST_WAIT_S, LONGEST_WAIT_S, wait_s
from mektep_agent.politeness.quiet import Busy, Look, Thresholds, busy_by, thresholds_of
from mektep_agent.politeness.rtt_baseline import LEAST_COUNT, RttBaseline
from tests.support.agent_time import MONDAY_NOON
from tests.support.school_assignment import school


def _rates(received_mbps: float, sent_mbps: float) -> Look:
    return Look(rates=Rates(received_mbps=received_mbps, sent_mbps=sent_mbps))


def test_the_thresholds_are_the_fccs_or_a_hundredth_of_the_line() -> None:
    assert thresholds_of(school()) == Thresholds(down_mbps=0.064, up_mbps=0.032)
    assert thresholds_of(school(contracted_download_mbps=2.0)) == Thresholds(down_mbps=0.064, up_mbps=0.032)
    fast = school(contracted_download_mbps=100.0, contracted_upload_mbps=10.0)
    assert thresholds_of(fast) == Thresholds(down_mbps=1.0, up_mbps=0.1)
    assert thresholds_of(school(norm_mbps=20.0)) == Thresholds(down_mbps=0.2, up_mbps=0.2)


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (Look(), ()),
        (_rates(0.064, 0.032), ()),
        (_rates(0.065, 0.0), (Busy.TRAFFIC,)),
        (_rates(0.0, 0.033), (Busy.TRAFFIC,)),
        (Look(is_gateway_inflated=True, is_echo_inflated=False), (Busy.GATEWAY_RTT,)),
        (Look(is_echo_inflated=True), (Busy.ECHO_RTT,)),
    ],
)
def test_what_shows_that_the_line_is_busy(look: Look, expected: tuple[Busy, ...]) -> None:
    assert busy_by(look, Thresholds()) == expected


def _week(*rtts_ms: float) -> RttBaseline:
    baseline = RttBaseline()
    for number, rtt_ms in enumerate(rtts_ms):
        baseline = baseline.with_one(MONDAY_NOON + timedelta(minutes=15 * number), rtt_ms)
    return baseline


def test_too_few_readings_are_no_baseline() -> None:
    assert _week(*[2.0] * (LEAST_COUNT - 1)).idle_ms is None
    assert not _week(*[2.0] * (LEAST_COUNT - 1)).is_inflated(500.0)


def test_a_line_that_is_busy_most_of_the_day_still_has_an_idle_round_trip() -> None:
    assert _week(*[20.0] * 4, *[300.0] * 28).idle_ms == 20.0


@pytest.mark.parametrize(("rtt_ms", "expected"), [(2.0, False), (11.9, False), (12.1, True)])
def test_a_local_round_trip_is_inflated_from_ten_milliseconds_on(rtt_ms: float, expected: bool) -> None:
    assert _week(*[2.0] * 20).is_inflated(rtt_ms) is expected


def test_a_long_round_trip_is_inflated_from_twice_its_length() -> None:
    assert not _week(*[600.0] * 20).is_inflated(1_100.0)
    assert _week(*[600.0] * 20).is_inflated(1_201.0)


def test_readings_older_than_a_week_are_forgotten_and_those_of_times_to_come() -> None:
    ahead = _week(*[2.0] * 20).with_one(MONDAY_NOON + timedelta(days=400), 2.0)
    assert len(ahead.seen) == 1
    assert len(ahead.with_one(MONDAY_NOON, 3.0).seen) == 1
    assert len(_week(*[2.0] * 20).with_one(MONDAY_NOON + timedelta(days=6), 2.0).seen) == 21


@given(st.integers(0, 200), st.floats(0, 20_000), st.randoms(use_true_random=False))
def test_a_wait_ends_before_the_slot_and_grows_to_a_quarter_of_an_hour(
    count: int, left_s: float, chance: random.Random
) -> None:
    waited_s = wait_s(count, left_s, chance)
    assert 0.0 <= waited_s <= min(left_s, 1.5 * LONGEST_WAIT_S)
    if left_s > 1.5 * LONGEST_WAIT_S:
        assert waited_s >= 0.5 * FIRST_WAIT_S


def test_a_slot_of_three_hours_is_looked_at_a_dozen_times_and_ends_with_a_test() -> None:
    chance = random.Random(4)
    for _ in range(50):
        left_s, count = 9_900.0, 0
        while left_s > 0:
            left_s -= wait_s(count, left_s, chance)
            count += 1
        assert 8 <= count <= 25
