from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from mektep_collector.sla.interval.order_statistics import interval_ranks, percentile_interval


@given(st.integers(1, 3_000), st.sampled_from([0.05, 0.1, 0.5, 0.9]))
def test_the_ranks_are_the_closest_that_hold_the_percentile_by_scipys_binomial(count: int, ratio: float) -> None:
    ranks = interval_ranks(count, ratio, 0.95)
    below = binom(count, ratio)
    if ranks is None:
        assert below.cdf(0) > 0.025 or below.cdf(count - 1) < 0.975
        return
    low, high = ranks
    # `low` is above the percentile when fewer than `low` values lie below it, `high` below it when at least `high` do
    assert below.cdf(low - 1) <= 0.025 < below.cdf(low)
    assert 1 - below.cdf(high - 1) <= 0.025 + 1e-12
    assert 1 - below.cdf(high - 2) > 0.025 - 1e-12


def test_a_median_needs_six_values() -> None:
    assert percentile_interval([1.0, 2.0, 3.0, 4.0, 5.0]) is None
    found = percentile_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert found is not None
    assert (found.low, found.high) == (1.0, 6.0)


def test_a_table_that_can_be_looked_up() -> None:
    # 95 % intervals of the median, as tables of the sign test give them
    assert interval_ranks(10, 0.5, 0.95) == (2, 9)
    assert interval_ranks(20, 0.5, 0.95) == (6, 15)
    assert interval_ranks(30, 0.5, 0.95) == (10, 21)
    assert interval_ranks(100, 0.5, 0.95) == (40, 61)


def test_nineteen_of_twenty_intervals_hold_the_true_median() -> None:
    random = Random(7)
    held_count = 0
    for _ in range(2_000):
        found = percentile_interval(sorted(random.expovariate(1.0) for _ in range(40)))
        assert found is not None
        held_count += found.low <= 0.6931471805599453 <= found.high
    assert held_count / 2_000 >= 0.95 - 0.01


def test_a_percentile_at_the_end_has_no_interval_between_two_values() -> None:
    for ratio in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            percentile_interval([1.0, 2.0], ratio)
