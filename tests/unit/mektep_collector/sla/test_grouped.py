import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.grouped import counted, grouped, percentiles
from mektep_collector.sla.percentile import percentile

GROUPS_COUNT = 5
drawn = st.lists(st.tuples(st.integers(0, GROUPS_COUNT - 1), st.floats(-1e9, 1e9) | st.just(float("nan"))), max_size=80)


@given(drawn, st.sampled_from([0.0, 0.05, 0.1, 0.5, 0.9, 1.0]))
def test_each_group_has_the_percentile_that_a_list_of_its_values_has_to_the_last_digit(
    pairs: list[tuple[int, float]], ratio: float
) -> None:
    group = np.array([each for each, _ in pairs], np.int32)
    value = np.array([each for _, each in pairs], np.float64)
    found = percentiles(grouped(group, value, GROUPS_COUNT), ratio)
    for number in range(GROUPS_COUNT):
        own = [each for place, each in pairs if place == number and each == each]
        if own:
            assert found[number] == percentile(own, ratio)
        else:
            assert np.isnan(found[number])


@given(drawn)
def test_a_groups_values_ascend_and_none_is_left_out(pairs: list[tuple[int, float]]) -> None:
    group = np.array([each for each, _ in pairs], np.int32)
    value = np.array([each for _, each in pairs], np.float64)
    found = grouped(group, value, GROUPS_COUNT)
    for number in range(GROUPS_COUNT):
        assert found.of(number).tolist() == sorted(each for place, each in pairs if place == number and each == each)


def test_counts_are_of_those_that_count() -> None:
    group = np.array([0, 1, 1, 3], np.int32)
    assert counted(group, np.array([True, True, False, True]), 4).tolist() == [1, 1, 0, 1]


def test_a_ratio_is_a_ratio() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentiles(grouped(np.empty(0, np.int32), np.empty(0), 1), 1.5)
