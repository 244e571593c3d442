"""Where a transfer has filled the link, from its points alone: pure.

While TCP starts, its rate doubles with each round trip; once the link is full, what arrives per second is what the link
carries, whatever the sender does, for as long as something waits in the bottleneck's queue. So the part that tells the
link's rate begins right behind the start, and it is often over before the first loss: on a long path the seconds after
that say less than the moment before.

A part of the transfer counts as steady if it holds at least `PIECES` points and, cut in as many pieces of equal time,

- none of its ends stands out: the first piece is no slower than the whole, the halves are equal, within a few percent;
- the interval of confidence of the mean of its pieces (method of batch means, Student's t) is narrow.

It also lasts some part of the time before it: what took long to fill is looked at for longer.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from mektep_agent.sample import Point

PIECES: Final = 8
CONFIDENCE_RATIO: Final = 0.95
LEAST_S: Final = 0.3
"""No shorter part is believed: below it, the moments at which a computer looks matter too much."""
LEAST_BYTES: Final = 100_000
"""Nor one of fewer bytes: of some ten packets each is too large a part."""
SHARE_OF_START_RATIO: Final = 0.25
"""A steady part lasts at least this share of the time before it, or since what is known to pass first had passed."""
NARROW_RATIO: Final = 0.02
"""The half-width of the interval over the mean, at most."""
_INSTRUMENT_RATIO: Final = 0.0075
"""What a part may be off for other reasons than chance: when a computer looks, what a segment carries."""
_FIRST_PIECE_RATIO: Final = 0.03
_HALVES_RATIO: Final = 0.02
_CREDIBLE_RATIO: Final = 0.25
_MOST_BEGINNINGS: Final = 16
_STUDENT_T: Final = 2.365
"""Two-sided 95 % of Student's t with `PIECES` - 1 = 7 degrees of freedom."""
_MBPS: Final = 8e-6


class Steady(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a transfer: its rate, the half-width of the 95 % interval of that, its begin and end, its points."""

    value_mbps: float
    half_width_mbps: float
    since_s: float
    until_s: float
    point_count: int


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a steady part beyond the usual: bytes to be passed before it begins, and how much longer."""

    passed_bytes: int = 0
    longer_ratio: float = 1.0


def steady_part(points: Sequence[Point], demand: Demand) -> Steady | None:
    """Return the longest steady part that ends with the last point, None where there is none yet."""
    if len(points) <= PIECES:
        return None
    course, by_segments = _Course(points, in_order=True), _Course(points)
    end_s = course.times_s[-1]
    share = SHARE_OF_START_RATIO * demand.longer_ratio
    first = bisect_left(course.in_order_bytes, demand.passed_bytes)
    # What must pass first is no start of TCP: a burst that is known asks for no longer look behind it.
    passed_s = course.times_s[min(first, len(points) - 1)] if demand.passed_bytes else 0.0
    # The latest beginning leaves room for the pieces, and lasts long enough.
    latest_s = min(end_s - LEAST_S * demand.longer_ratio, passed_s + (end_s - passed_s) / (1 + share))
    latest_bytes = course.in_order_bytes[-1] - LEAST_BYTES * demand.longer_ratio
    last = min(
        len(points) - PIECES - 1,
        bisect_left(course.times_s, latest_s) - 1,
        bisect_left(course.in_order_bytes, latest_bytes) - 1,
    )
    for begin in range(first, last + 1, max(1, (last + 1 - first) // _MOST_BEGINNINGS)):
        found = course.judge(begin) or by_segments.judge(begin)
        if found is not None:
            return found
    return None


def measured(points: Sequence[Point], begin: int) -> Steady | None:
    """Return the mean from point `begin` to the last and its interval, however wide; None without bytes or time."""
    return _Course(points, in_order=True).measure(begin)


def measured_in_any_order(points: Sequence[Point], begin: int) -> Steady | None:
    """Return the same by segments, which do not wait for a lost one; None too where the bytes in order deny them."""
    course = _Course(points)
    found = course.measure(begin)
    return found if found is not None and course.is_credible(begin) else None


def fastest_mbps(points: Sequence[Point], length_s: float) -> float | None:
    """Return the greatest mean over any part of at least `length_s`, None where the transfer is no longer than that."""
    course = _Course(points)
    parts = ((bisect_left(course.times_s, since_s + length_s), begin) for begin, since_s in enumerate(course.times_s))
    return max((course.mean_mbps(begin, end) for end, begin in parts if end < len(points)), default=None)


class _Course:
    """What arrived over time: by segments where all points tell them, since those do not wait for a lost one."""

    def __init__(self, points: Sequence[Point], *, in_order: bool = False) -> None:
        self.times_s = [point.elapsed_s for point in points]
        self.in_order_bytes = [point.total_bytes for point in points]
        segments = [point.segments_count for point in points]
        self._arrived_bytes: Sequence[float] = self.in_order_bytes
        if not in_order and None not in segments:
            self._arrived_bytes = _by_segments(self.in_order_bytes, [count or 0 for count in segments])

    def mean_mbps(self, begin: int, end: int) -> float:
        """Return the mean between two points, 0.0 where no time is between them."""
        length_s = self.times_s[end] - self.times_s[begin]
        return (self._arrived_bytes[end] - self._arrived_bytes[begin]) * _MBPS / length_s if length_s > 0 else 0.0

    def measure(self, begin: int) -> Steady | None:
        """Return the mean from `begin` to the last point and its interval, or None without bytes or time."""
        mean_mbps = self.mean_mbps(begin, len(self.times_s) - 1)
        if mean_mbps <= 0:
            return None
        variance = sum((rate - mean_mbps) ** 2 for rate in self._rates_mbps(begin)) / (PIECES - 1)
        chance_mbps = _STUDENT_T * float((variance / PIECES) ** 0.5)
        return Steady(
            value_mbps=mean_mbps,
            half_width_mbps=math.hypot(chance_mbps, _INSTRUMENT_RATIO * mean_mbps),
            since_s=self.times_s[begin],
            until_s=self.times_s[-1],
            point_count=len(self.times_s) - begin,
        )

    def judge(self, begin: int) -> Steady | None:
        """Return the part from `begin` if it is steady."""
        found = self.measure(begin)
        if found is None or found.half_width_mbps > NARROW_RATIO * found.value_mbps:
            return None
        rates_mbps = self._rates_mbps(begin)
        half = PIECES // 2
        growth_mbps = (sum(rates_mbps[half:]) - sum(rates_mbps[:half])) / half
        is_even = abs(growth_mbps) <= _HALVES_RATIO * found.value_mbps
        is_under_way = rates_mbps[0] >= (1 - _FIRST_PIECE_RATIO) * found.value_mbps
        return found if is_even and is_under_way and self.is_credible(begin) else None

    def is_credible(self, begin: int) -> bool:
        """Tell whether bytes in order came about as fast as the segments say: nobody is believed against them."""
        arrived = self._arrived_bytes[-1] - self._arrived_bytes[begin]
        in_order = self.in_order_bytes[-1] - self.in_order_bytes[begin]
        return abs(in_order - arrived) <= _CREDIBLE_RATIO * arrived

    def _rates_mbps(self, begin: int) -> list[float]:
        since_s = self.times_s[begin]
        piece_s = (self.times_s[-1] - since_s) / PIECES
        totals = [self._arrived_at(since_s + piece * piece_s) for piece in range(1, PIECES)]
        edges = [self._arrived_bytes[begin], *totals, self._arrived_bytes[-1]]
        return [(after - before) * _MBPS / piece_s for before, after in pairwise(edges)]

    def _arrived_at(self, at_s: float) -> float:
        """Return what had arrived at a moment between two points, in a straight line."""
        after = max(1, min(bisect_left(self.times_s, at_s), len(self.times_s) - 1))
        one_s, two_s = self.times_s[after - 1], self.times_s[after]
        one, two = self._arrived_bytes[after - 1], self._arrived_bytes[after]
        return one + (two - one) * (at_s - one_s) / (two_s - one_s) if two_s > one_s else two


def _by_segments(in_order_bytes: Sequence[int], segments: Sequence[int]) -> Sequence[float]:
    """Return what had arrived in any order: segments, each of what one carries where nothing is missing before it."""
    ratios = (bytes_ / count for bytes_, count in zip(in_order_bytes, segments, strict=True) if count)
    segment_bytes = max(ratios, default=0.0)
    return [count * segment_bytes for count in segments] if segment_bytes else in_order_bytes
