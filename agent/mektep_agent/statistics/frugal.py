"""The frugal throughput test: stop when the link's rate is known, and say how well.

`frugal/1`: as soon as a part of the transfer that ends now is steady (`steady.py`), the test stops, and the value is
the mean of that part with its 95 % interval. Where no part becomes steady, the test goes on to its full length; then
the value is the mean after the first fifth, with the interval that the pieces of that part give.

The rule sees points alone, so what it would have said can be read from any longer test of the same points.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.link_knowledge import LinkKnowledge
from mektep_agent.statistics.steady import CONFIDENCE_RATIO, PIECES, Demand, Steady, measured, steady_part
from mektep_agent.statistics.throughput import RAMP_RATIO, Throughput, mean_throughput_mbps
from mektep_wire import Interval, StopReason

FRUGAL_METHOD: Final = "frugal/1"
"""Name of the method in a reading; a change of what it computes changes the number."""


class FrugalStop:
    """Stops a transfer once a part of it is steady. Holds nothing between two questions."""

    def __init__(self, knowledge: LinkKnowledge | None = None) -> None:
        self._demand = (knowledge or LinkKnowledge()).demand

    def decide(self, points: Sequence[Point]) -> StopReason | None:
        """Return CONVERGED when the part that ends with the last point is steady, else None."""
        return StopReason.CONVERGED if steady_part(points, self._demand) is not None else None


def frugal_throughput(sample: ThroughputSample, knowledge: LinkKnowledge | None = None) -> Throughput:
    """Return the throughput by `frugal/1`; raises ValueError for a sample of which no byte arrived in no time."""
    whole = mean_throughput_mbps(sample)
    demand = (knowledge or LinkKnowledge()).demand
    found: Steady | None = None
    for count in range(PIECES + 1, len(sample.points) + 1):
        found = steady_part(sample.points[:count], demand)
        if found is not None:
            break
    if found is None:
        found = _after_the_ramp(sample, demand)
    if found is None:
        return Throughput(
            value_mbps=whole.value_mbps, ndt7_mbps=whole.ndt7_mbps, point_count=whole.point_count, method=FRUGAL_METHOD
        )
    return Throughput(
        value_mbps=found.value_mbps,
        ndt7_mbps=whole.ndt7_mbps,
        point_count=found.point_count,
        method=FRUGAL_METHOD,
        interval=_interval(found),
    )


def _after_the_ramp(sample: ThroughputSample, demand: Demand) -> Steady | None:
    """Return the mean after the first fifth, and after what is known to pass before the link shows its rate.

    Of a burst that did not pass as a whole, as somebody had used a part of it, the first half of the test is left out.
    """
    points = sample.points
    end_s = points[-1].elapsed_s
    begin = bisect_left(points, RAMP_RATIO * end_s, key=_elapsed_s)
    if demand.passed_bytes:
        passed = bisect_left(points, demand.passed_bytes, key=_total_bytes)
        begin = max(begin, min(passed, bisect_left(points, end_s / 2, key=_elapsed_s)))
    return measured(points, begin) if len(points) - begin > PIECES else None


def _elapsed_s(point: Point) -> float:
    return point.elapsed_s


def _total_bytes(point: Point) -> int:
    return point.total_bytes


def _interval(found: Steady) -> Interval:
    low = max(0.0, found.value_mbps - found.half_width_mbps)
    return Interval(low=low, high=found.value_mbps + found.half_width_mbps, confidence_ratio=CONFIDENCE_RATIO)
