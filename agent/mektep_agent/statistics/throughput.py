"""Throughput of a transfer from its points: the one place where bytes and times become Mbit/s.

Two figures are stated side by side. The NDT7 figure is what every NDT7 client states, bytes over the whole time, so
that others' results can be held against ours. It includes slow start, in which the link is not yet in use: on a link
of 2 Mbit/s at 600 ms it reads a fifth too low. The school's figure leaves slow start out.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from mektep_agent.sample import Point, ThroughputSample
from mektep_wire import Interval, StopReason

FULL_LENGTH_METHOD: Final = "full_length/1"
"""Name of the method of `mean_throughput_mbps` in a reading; a change of what it computes changes the number."""

RAMP_RATIO: Final = 0.2
"""Share of a transfer's time that `full_length/1` leaves out at the beginning."""

_BITS_PER_MEGABIT: Final = 1e6
_ZERO: Final = Point(0.0, 0)


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample says: the school's figure by `method` and its count of points, and NDT7's own figure.

    `interval` is the figure's interval of confidence in Mbit/s, where the method states one.
    """

    value_mbps: float
    ndt7_mbps: float
    point_count: int
    method: str
    interval: Interval | None = None


class FullLength:
    """The stop rule that never stops: the transfer runs as long as its limits let it."""

    def decide(self, points: Sequence[Point]) -> StopReason | None:
        """Return None, whatever the points say."""
        return None


def mean_throughput_mbps(sample: ThroughputSample) -> Throughput:
    """Return the throughput by `full_length/1`; raises ValueError for a sample of which no byte arrived in no time.

    The method: leave out the first fifth of the time, up to the first point that is not in it, and divide the bytes
    after that point by the time after it. The cut depends on time alone and never on the rates that were seen, so it
    cannot pick a flattering part; dips, stalls and losses after it all count. What it does not cure: a ramp longer
    than a fifth of the test (seconds of round trips) still lowers the figure, and a burst allowance that lasts longer
    still raises it. Where the part after the cut holds fewer than two points, the whole transfer is taken instead.
    """
    end = sample.points[-1] if sample.points else _ZERO
    if end.elapsed_s <= 0 or end.total_bytes <= 0:
        raise ValueError("a sample without bytes or without time has no throughput: it is a failure, never 0 Mbit/s")
    steady = [point for point in sample.points if point.elapsed_s >= RAMP_RATIO * end.elapsed_s]
    if len(steady) < 2 or steady[0].elapsed_s >= end.elapsed_s:
        steady = [_ZERO, *sample.points]
    return Throughput(
        value_mbps=_rate_mbps(steady[0], end),
        ndt7_mbps=_rate_mbps(_ZERO, end),
        point_count=len(steady) - (steady[0] is _ZERO),
        method=FULL_LENGTH_METHOD,
    )


def _rate_mbps(begin: Point, end: Point) -> float:
    return (end.total_bytes - begin.total_bytes) * 8 / (end.elapsed_s - begin.elapsed_s) / _BITS_PER_MEGABIT
