import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.throughput import FULL_LENGTH_METHOD, FullLength, mean_throughput_mbps
from mektep_wire import Direction, StopReason


def sample(*points: Point) -> ThroughputSample:
    return ThroughputSample(
        direction=Direction.DOWNLOAD,
        points=points,
        duration_s=points[-1].elapsed_s if points else 0.0,
        bytes_sent=0,
        bytes_received=0,
        stop_reason=StopReason.FULL_LENGTH,
    )


def steady(rate_mbps: float, duration_s: float = 10.0, ramp_s: float = 0.0) -> ThroughputSample:
    """Points every 100 ms of a link that carries nothing for `ramp_s` and then its rate."""
    times_s = [index * 0.1 for index in range(1, round(duration_s * 10) + 1)]
    return sample(*(Point(time_s, round(max(0.0, time_s - ramp_s) * rate_mbps * 125_000)) for time_s in times_s))


@st.composite
def samples(draw: st.DrawFn) -> ThroughputSample:
    steps = draw(
        st.lists(
            st.tuples(st.floats(0.001, 2.0), st.integers(0, 10**8)), min_size=1, max_size=40
        ).filter(lambda found: sum(count for _, count in found) > 0)
    )  # fmt: skip
    elapsed_s, total_bytes, points = 0.0, 0, []
    for step_s, count in steps:
        elapsed_s, total_bytes = elapsed_s + step_s, total_bytes + count
        points.append(Point(elapsed_s, total_bytes))
    return sample(*points)


def test_a_steady_link_reads_its_rate() -> None:
    found = mean_throughput_mbps(steady(20.0))
    assert found.value_mbps == pytest.approx(20.0, rel=1e-6)
    assert found.ndt7_mbps == pytest.approx(20.0, rel=1e-6)
    assert found.method == FULL_LENGTH_METHOD == "full_length/1"


@pytest.mark.parametrize("ramp_s", [0.2, 1.0, 1.9])
def test_a_ramp_within_the_first_fifth_lowers_the_ndt7_figure_alone(ramp_s: float) -> None:
    found = mean_throughput_mbps(steady(20.0, ramp_s=ramp_s))
    assert found.value_mbps == pytest.approx(20.0, rel=1e-6)
    assert found.ndt7_mbps == pytest.approx(20.0 * (10.0 - ramp_s) / 10.0, rel=1e-3)


def test_a_stall_after_the_ramp_counts() -> None:
    whole = steady(20.0).points
    stalled = [point if point.elapsed_s < 5.0 else Point(point.elapsed_s, whole[48].total_bytes) for point in whole]
    found = mean_throughput_mbps(sample(*stalled))
    assert found.value_mbps == pytest.approx(20.0 * (4.9 - 2.0) / 8.0, rel=1e-3)


def test_a_single_point_gives_the_whole() -> None:
    found = mean_throughput_mbps(sample(Point(2.0, 250_000)))
    assert (found.value_mbps, found.ndt7_mbps, found.point_count) == (1.0, 1.0, 1)


def test_points_at_one_time_give_the_whole() -> None:
    found = mean_throughput_mbps(sample(Point(2.0, 1000), Point(2.0, 250_000)))
    assert found.value_mbps == found.ndt7_mbps == 1.0


@pytest.mark.parametrize("points", [(), (Point(0.0, 10),), (Point(3.0, 0),), (Point(1.0, 0), Point(2.0, 0))])
def test_nothing_is_a_failure_and_never_zero(points: tuple[Point, ...]) -> None:
    with pytest.raises(ValueError, match="never 0"):
        mean_throughput_mbps(sample(*points))


@given(samples())
def test_figures_are_finite_and_not_negative(one: ThroughputSample) -> None:
    found = mean_throughput_mbps(one)
    assert 0 <= found.value_mbps < float("inf")
    assert 0 < found.ndt7_mbps < float("inf")
    assert 1 <= found.point_count <= len(one.points)


@given(samples(), st.integers(2, 1000))
def test_more_bytes_in_the_same_time_read_as_so_many_times_more(one: ThroughputSample, factor: int) -> None:
    more = sample(*(Point(point.elapsed_s, point.total_bytes * factor) for point in one.points))
    assert mean_throughput_mbps(more).value_mbps == pytest.approx(mean_throughput_mbps(one).value_mbps * factor)
    assert mean_throughput_mbps(more).ndt7_mbps == pytest.approx(mean_throughput_mbps(one).ndt7_mbps * factor)


@given(samples(), st.integers(1, 10**9))
def test_bytes_within_the_ramp_change_the_ndt7_figure_alone(one: ThroughputSample, extra: int) -> None:
    points = (Point(one.points[0].elapsed_s / 100, 0), *one.points)
    more = (points[0], *(Point(point.elapsed_s, point.total_bytes + extra) for point in points[1:]))
    before, after = mean_throughput_mbps(sample(*points)), mean_throughput_mbps(sample(*more))
    assert after.ndt7_mbps > before.ndt7_mbps
    if one.points[0].elapsed_s < 0.2 * one.points[-1].elapsed_s and before.point_count >= 2:
        steady_before = [point for point in points if point.elapsed_s >= 0.2 * points[-1].elapsed_s]
        if len(steady_before) >= 2:
            assert after.value_mbps == pytest.approx(before.value_mbps)


def test_full_length_never_stops() -> None:
    assert FullLength().decide([]) is None
    assert FullLength().decide(steady(1000.0).points) is None
