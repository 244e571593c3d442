import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.percentile import median, percentile, percentile_of_sorted

values = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60)


@given(values, st.floats(0, 1))
def test_a_percentile_lies_within_the_values_and_rises_with_its_ratio(given_values: list[float], ratio: float) -> None:
    found = percentile(given_values, ratio)
    assert min(given_values) <= found <= max(given_values)
    assert percentile(given_values, ratio / 2) <= found


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60))
def test_percentiles_are_those_of_definition_seven(given_values: list[float]) -> None:
    hundredths = statistics.quantiles(given_values, n=100, method="inclusive")
    for number in (10, 50, 90, 99):
        assert percentile(given_values, number / 100) == pytest.approx(hundredths[number - 1], rel=1e-9, abs=1e-6)


@given(values)
def test_the_median_is_the_middle(given_values: list[float]) -> None:
    assert median(given_values) == pytest.approx(statistics.median(given_values), rel=1e-12, abs=1e-6)


def test_figures_that_anybody_can_check_by_hand() -> None:
    assert percentile([40.0, 10.0, 20.0, 30.0], 0.1) == pytest.approx(13.0)
    assert median([40.0, 10.0, 20.0, 30.0]) == 25.0
    assert percentile_of_sorted([7.0], 0.9) == 7.0
    assert percentile([1.0, 2.0, 3.0], 1.0) == 3.0


def test_nothing_has_no_percentile_and_ratios_are_ratios() -> None:
    with pytest.raises(ValueError, match="no values"):
        median([])
    for ratio in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="between 0 and 1"):
            percentile([1.0], ratio)
