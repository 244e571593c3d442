"""Round trips a minute: the draft's trimmed means, and nothing where too little was seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.statistics.responsiveness import LEAST_COUNT, responsiveness_rpm, trimmed_mean_ms

rtts = st.lists(st.floats(0.01, 60_000.0), min_size=LEAST_COUNT, max_size=60)


def test_a_round_trip_of_60_ms_is_a_thousand_a_minute() -> None:
    assert responsiveness_rpm([60.0] * 3, [60.0] * 3) == pytest.approx(1_000.0)


def test_both_kinds_weigh_the_same() -> None:
    assert responsiveness_rpm([60.0] * 3, [600.0] * 30) == pytest.approx((1_000.0 + 100.0) / 2)


def test_the_worst_twentieth_is_left_out() -> None:
    assert trimmed_mean_ms([10.0] * 19 + [10_000.0]) == 10.0
    assert trimmed_mean_ms([10.0] * 18 + [10_000.0] * 2) > 500.0


def test_a_kind_of_too_few_is_left_out_and_without_any_there_is_no_value() -> None:
    assert responsiveness_rpm([60.0] * 2, [600.0] * 3) == pytest.approx(100.0)
    assert responsiveness_rpm([60.0] * 2, [600.0] * 2) is None


@given(foreign=rtts, loaded=rtts, slower=st.floats(1.0, 100.0))
def test_a_slower_queue_is_never_more_responsive(foreign: list[float], loaded: list[float], slower: float) -> None:
    fast = responsiveness_rpm(foreign, loaded)
    slow = responsiveness_rpm([rtt * slower for rtt in foreign], [rtt * slower for rtt in loaded])
    assert fast is not None
    assert slow is not None
    assert slow <= fast * (1 + 1e-9)


@given(rtts)
def test_a_trimmed_mean_lies_among_its_values(values: list[float]) -> None:
    assert min(values) * (1 - 1e-9) <= trimmed_mean_ms(values) <= max(values) * (1 + 1e-9)
