"""The full-length figure that shortened tests are held against.

`full_length/2` is `full_length/1` but for links that let a burst through first (a token bucket): where the transfer
itself shows one, only what came after it counts, as that is what the line carries for the rest of the lesson. A burst
is what `link_knowledge` takes for one, and the rate behind it is even for `LEAST_S` at least: a line that slows down
and recovers gave no burst. Of a burst that takes longer, ten seconds do not see enough, and the figure is too high.
"""

from bisect import bisect_left
from typing import Final

import msgspec

from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.link_knowledge import LinkKnowledge, learn
from mektep_agent.statistics.steady import Steady, measured
from mektep_agent.statistics.throughput import Throughput, mean_throughput_mbps

YARDSTICK_METHOD: Final = "full_length/2"
"""Name of the method in a reading; a change of what it computes changes the number."""
LEAST_S: Final = 3.0
"""The part behind a burst lasts so long."""
EVEN_RATIO: Final = 0.1
"""The halves of the part behind a burst differ by this share of its rate at most."""


def yardstick(sample: ThroughputSample) -> Throughput:
    """Return the throughput by `full_length/2`; raises ValueError for a sample of which no byte arrived in no time."""
    whole = msgspec.structs.replace(mean_throughput_mbps(sample), method=YARDSTICK_METHOD)
    burst_bytes = learn(LinkKnowledge(), sample).burst_bytes
    if not burst_bytes:
        return whole
    begin = bisect_left(sample.points, burst_bytes, key=_total_bytes)
    after = _part(sample.points, begin)
    if after is None or after.until_s - after.since_s < LEAST_S or not _is_even(sample.points, begin, after):
        return whole
    return msgspec.structs.replace(whole, value_mbps=after.value_mbps, point_count=after.point_count)


def _part(points: tuple[Point, ...], begin: int) -> Steady | None:
    return measured(points, begin) if begin < len(points) - 1 else None


def _is_even(points: tuple[Point, ...], begin: int, after: Steady) -> bool:
    middle = bisect_left(points, (after.since_s + after.until_s) / 2, key=_elapsed_s)
    later = _part(points, middle)
    return later is not None and abs(later.value_mbps - after.value_mbps) <= EVEN_RATIO / 2 * after.value_mbps


def _elapsed_s(point: Point) -> float:
    return point.elapsed_s


def _total_bytes(point: Point) -> int:
    return point.total_bytes
