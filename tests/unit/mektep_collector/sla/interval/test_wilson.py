import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from mektep_collector.sla.interval.wilson import wilson


@given(st.integers(1, 5_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_it_is_the_interval_that_statsmodels_gives(share: tuple[int, int]) -> None:
    good_count, count = share
    low, high = proportion_confint(good_count, count, method="wilson")
    found = wilson(good_count, count)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize(
    ("good_count", "count", "low", "high"), [(16, 20, 0.58, 0.92), (24, 30, 0.63, 0.90), (70, 88, 0.70, 0.87)]
)
def test_figures_that_can_be_looked_up(good_count: int, count: int, low: float, high: float) -> None:
    found = wilson(good_count, count)
    assert found is not None
    assert (round(found.low, 2), round(found.high, 2)) == (low, high)


@given(st.integers(1, 500), st.integers(0, 500))
def test_it_holds_the_share_and_grows_narrower_with_more_tests(count: int, good_count: int) -> None:
    good_count = min(good_count, count)
    one, ten = wilson(good_count, count), wilson(10 * good_count, 10 * count)
    assert one is not None
    assert ten is not None
    assert 0.0 <= one.low <= good_count / count <= one.high <= 1.0
    assert ten.high - ten.low < one.high - one.low


def test_nothing_has_no_interval_and_no_share_is_above_one() -> None:
    assert wilson(0, 0) is None
    for good_count, count in ((-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="is no share"):
            wilson(good_count, count)
