"""The scale of a chart: everything fits, ticks are round, zero is zero."""

from hypothesis import given
from hypothesis import strategies as st

from mektep_dashboards.charts.scale import scale

values = st.lists(st.floats(0.001, 1e6), min_size=1, max_size=20)


@given(values)
def test_every_value_fits_and_the_ticks_reach_the_top(found: list[float]) -> None:
    made = scale(found, 200.0, 20.0)
    assert made.top >= max(found) * (1 - 1e-9)
    assert made.top <= max(found) * 2.6
    assert 2 <= len(made.ticks()) <= 7
    assert made.ticks()[0] == 0.0
    assert abs(made.ticks()[-1] - made.top) <= made.top * 1e-9


@given(values, st.floats(0.0, 1e6), st.floats(0.0, 1e6))
def test_more_is_higher_and_nothing_leaves_the_picture(found: list[float], one: float, other: float) -> None:
    made = scale(found, 200.0, 20.0)
    low, high = sorted((one, other))
    assert 20.0 - 1e-6 <= made.at(high) <= made.at(low) + 1e-6
    assert made.at(low) <= 200.0 + 1e-6


def test_nothing_measured_has_a_scale_too() -> None:
    assert scale([], 200.0, 20.0).ticks() == [0.0, 1.0]
    assert scale([0.0], 200.0, 20.0).at(0.0) == 200.0
