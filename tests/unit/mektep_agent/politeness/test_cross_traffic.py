"""Traffic of others is what crossed the interface less what was ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.link.counters import Crossed
from mektep_agent.politeness.cross_traffic import OWN_RATIO, Moment, Rates, between, during


def _moment(at_s: float, received: int, sent: int) -> Moment:
    return Moment(at_s=at_s, crossed=Crossed(received_bytes=received, sent_bytes=sent))


def test_a_megabit_a_second_each_way_is_seen() -> None:
    found = between(_moment(0.0, 1_000, 500), _moment(10.0, 1_251_000, 1_250_500))
    assert found == Rates(received_mbps=1.0, sent_mbps=1.0)
    assert found.total_mbps == 2.0


def test_our_own_bytes_are_taken_off() -> None:
    found = between(_moment(0.0, 0, 0), _moment(10.0, 1_250_000, 1_000), own_bytes=1_250_500)
    assert found is not None
    assert found.received_mbps == 0.0
    assert found.sent_mbps == pytest.approx(0.0004)


@pytest.mark.parametrize(
    ("first", "last"), [((1.0, 5, 5), (1.0, 6, 6)), ((0.0, 5, 5), (1.0, 4, 9)), ((0.0, 5, 5), (1.0, 9, 4))]
)
def test_counters_that_went_back_tell_nothing(first: tuple[float, int, int], last: tuple[float, int, int]) -> None:
    assert between(_moment(*first), _moment(*last)) is None


def test_a_test_of_ours_alone_shows_no_traffic_of_others() -> None:
    own = 25_000_000
    moments = [_moment(0.0, 0, 0), _moment(10.0, int(own * 1.045), int(own * 0.02)), _moment(11.0, 26_200_000, 600_000)]
    assert during(moments, 0.0, 10.0, own) == 0.0


def test_a_download_of_others_beside_a_test_is_seen_at_its_rate() -> None:
    own, others = 25_000_000, 5_000_000
    moments = [_moment(0.0, 0, 0), _moment(10.0, int(own * OWN_RATIO) + others, 0)]
    assert during(moments, 0.0, 10.0, own) == pytest.approx(4.0, rel=1e-6)


def test_traffic_between_two_looks_is_taken_for_even() -> None:
    moments = [_moment(0.0, 0, 0), _moment(1.0, 1_000_000, 0), _moment(2.0, 3_000_000, 0), _moment(3.0, 3_000_000, 0)]
    assert during(moments, 0.5, 1.5, 0) == pytest.approx(12.0)
    assert during(moments, 2.0, 3.0, 0) == 0.0


@pytest.mark.parametrize(("begin_s", "end_s"), [(-1.0, 2.0), (0.5, 4.0), (2.0, 2.0), (2.0, 1.0)])
def test_a_time_that_was_not_looked_at_is_not_known(begin_s: float, end_s: float) -> None:
    assert during([_moment(0.0, 0, 0), _moment(3.0, 9, 9)], begin_s, end_s, 0) is None
    assert during([], begin_s, end_s, 0) is None


@given(
    st.lists(st.tuples(st.floats(0.01, 5.0), st.integers(0, 10**8), st.integers(0, 10**8)), min_size=2, max_size=40),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 10**9),
)
def test_more_of_our_own_never_means_more_of_others_and_never_less_than_nothing(
    steps: list[tuple[float, int, int]], first: float, second: float, own: int
) -> None:
    moments, at_s, received, sent = [], 0.0, 0, 0
    for step_s, more_received, more_sent in steps:
        moments.append(_moment(at_s, received, sent))
        at_s, received, sent = at_s + step_s, received + more_received, sent + more_sent
    span = moments[-1].at_s
    begin_s, end_s = sorted((first * span, second * span))
    found, less = during(moments, begin_s, end_s, own), during(moments, begin_s, end_s, own // 2)
    if found is None:
        assert end_s <= begin_s
        return
    assert less is not None
    assert 0.0 <= found <= less
