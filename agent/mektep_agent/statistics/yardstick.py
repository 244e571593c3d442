"""The full-length figure that shortened tests are held against.

`full_length/2` states what the line carries while it is full, as the shortened method does:

- where the second half of the transfer is even, the mean of that half; on a line that let a burst through first (a
  token bucket), the part of it that came after the burst, as that is what the line carries for the rest of the lesson;
- where the second half is uneven, TCP was busy with its losses, and the mean tells how that went: on a path of 600 ms
  it is 10 to 40 % below what the line carries. There it is the mean of the fastest tenth.

The mean over all of the time, uneven or not, is the NDT7 figure beside it.
"""

from bisect import bisect_left
from typing import Final

import msgspec

from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.link_knowledge import LinkKnowledge, learn
from mektep_agent.statistics.steady import fastest_mbps, measured
from mektep_agent.statistics.throughput import Throughput, mean_throughput_mbps

YARDSTICK_METHOD: Final = "full_length/2"
"""Name of the method in a reading; a change of what it computes changes the number."""
LEAST_S: Final = 2.0
"""A part behind a burst counts when it lasts so long."""
FASTEST_SHARE: Final = 0.1


def yardstick(sample: ThroughputSample) -> Throughput:
    """Return the throughput by `full_length/2`; raises ValueError for a sample of which no byte arrived in no time."""
    whole = msgspec.structs.replace(mean_throughput_mbps(sample), method=YARDSTICK_METHOD)
    known = learn(LinkKnowledge(), sample)
    if not known.audit_count:
        fastest = fastest_mbps(sample.points, FASTEST_SHARE * sample.points[-1].elapsed_s)
        return whole if fastest is None else msgspec.structs.replace(whole, value_mbps=fastest)
    half = bisect_left(sample.points, sample.points[-1].elapsed_s / 2, key=_elapsed_s)
    spent = bisect_left(sample.points, known.burst_bytes, key=_total_bytes)
    after = measured(sample.points, max(half, spent)) if max(half, spent) < len(sample.points) - 1 else None
    if after is None or after.until_s - after.since_s < LEAST_S:
        return whole
    return msgspec.structs.replace(whole, value_mbps=after.value_mbps, point_count=after.point_count)


def _elapsed_s(point: Point) -> float:
    return point.elapsed_s


def _total_bytes(point: Point) -> int:
    return point.total_bytes
