"""The full-length figure: the mean of a steady line, and what is left of a line that gave a burst first."""

from itertools import accumulate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.throughput import mean_throughput_mbps
from mektep_agent.statistics.yardstick import YARDSTICK_METHOD, yardstick
from mektep_wire import Direction
from tests.support.scripted_engines import steady


def line(rates_mbps: list[float]) -> ThroughputSample:
    """Return a transfer whose rate was each of these for 100 ms."""
    totals = accumulate(round(rate * 12_500) for rate in rates_mbps)
    points = tuple(Point((step + 1) / 10, total) for step, total in enumerate(totals))
    return msgspec.structs.replace(steady(Direction.DOWNLOAD, 1.0), points=points, duration_s=len(points) / 10)


@given(st.floats(0.5, 50.0), st.floats(1.5, 5.0), st.integers(3, 35))
def test_a_burst_is_not_what_the_line_carries(rate_mbps: float, times: float, burst_steps: int) -> None:
    burst = line([rate_mbps * times] * burst_steps + [rate_mbps] * (100 - burst_steps))
    assert yardstick(burst).value_mbps == pytest.approx(rate_mbps, rel=0.01)
    assert yardstick(burst).method == YARDSTICK_METHOD
    assert yardstick(burst).ndt7_mbps == mean_throughput_mbps(burst).ndt7_mbps


@given(st.floats(0.5, 300.0))
def test_a_steady_line_has_its_rate(rate_mbps: float) -> None:
    assert yardstick(line([rate_mbps] * 100)).value_mbps == pytest.approx(rate_mbps, rel=1e-3)


def test_a_transfer_that_stalls_later_tells_by_its_fastest_tenth() -> None:
    stalls = line([20.0] * 60 + [1.0] * 20 + [20.0] * 20)
    assert yardstick(stalls).value_mbps == pytest.approx(20.0)
    assert mean_throughput_mbps(stalls).value_mbps < 16


def test_nothing_has_no_throughput() -> None:
    with pytest.raises(ValueError, match="never 0 Mbit/s"):
        yardstick(msgspec.structs.replace(steady(Direction.DOWNLOAD, 1.0), points=()))
