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
SHARE_OF_START_RATIO: Final = 0.25
"""A steady part lasts at least this share of the time before it."""
NARROW_RATIO: Final = 0.02
"""The half-width of the interval over the mean, at most."""
_FIRST_PIECE_RATIO: Final = 0.03
_HALVES_RATIO: Final = 0.02
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
    end = points[-1]
    least_s = LEAST_S * demand.longer_ratio
    share = SHARE_OF_START_RATIO * demand.longer_ratio
    first = bisect_left(points, demand.passed_bytes, key=_total_bytes)
    # The latest beginning leaves room for the pieces, and lasts long enough.
    latest_s = min(end.elapsed_s - least_s, end.elapsed_s / (1 + share))
    last = min(len(points) - PIECES - 1, bisect_left(points, latest_s, key=_elapsed_s) - 1)
    for begin in range(first, last + 1, max(1, (last + 1 - first) // _MOST_BEGINNINGS)):
        found = _judged(points, begin)
        if found is not None:
            return found
    return None


def measured(points: Sequence[Point], begin: int) -> Steady | None:
    """Return the mean from point `begin` to the last and its interval, however wide; None without bytes or time."""
    since, until = points[begin], points[-1]
    length_s = until.elapsed_s - since.elapsed_s
    mean_mbps = (until.total_bytes - since.total_bytes) * _MBPS / length_s if length_s > 0 else 0.0
    if mean_mbps <= 0:
        return None
    rates_mbps = _piece_rates_mbps(points, begin)
    variance = sum((rate - mean_mbps) ** 2 for rate in rates_mbps) / (PIECES - 1)
    return Steady(
        value_mbps=mean_mbps,
        half_width_mbps=_STUDENT_T * float((variance / PIECES) ** 0.5),
        since_s=since.elapsed_s,
        until_s=until.elapsed_s,
        point_count=len(points) - begin,
    )


def _judged(points: Sequence[Point], begin: int) -> Steady | None:
    found = measured(points, begin)
    if found is None or found.half_width_mbps > NARROW_RATIO * found.value_mbps:
        return None
    rates_mbps = _piece_rates_mbps(points, begin)
    half = PIECES // 2
    growth_mbps = (sum(rates_mbps[half:]) - sum(rates_mbps[:half])) / half
    is_even = abs(growth_mbps) <= _HALVES_RATIO * found.value_mbps
    is_under_way = rates_mbps[0] >= (1 - _FIRST_PIECE_RATIO) * found.value_mbps
    return found if is_even and is_under_way else None


def _piece_rates_mbps(points: Sequence[Point], begin: int) -> list[float]:
    since_s = points[begin].elapsed_s
    piece_s = (points[-1].elapsed_s - since_s) / PIECES
    totals = [_bytes_at(points, since_s + piece * piece_s) for piece in range(1, PIECES)]
    edges = [float(points[begin].total_bytes), *totals, float(points[-1].total_bytes)]
    return [(after - before) * _MBPS / piece_s for before, after in pairwise(edges)]


def _bytes_at(points: Sequence[Point], at_s: float) -> float:
    """Return the bytes at a moment between two points, in a straight line."""
    after = min(bisect_left(points, at_s, key=_elapsed_s), len(points) - 1)
    one, two = points[max(after - 1, 0)], points[after]
    if two.elapsed_s <= one.elapsed_s:
        return float(two.total_bytes)
    share = (at_s - one.elapsed_s) / (two.elapsed_s - one.elapsed_s)
    return one.total_bytes + share * (two.total_bytes - one.total_bytes)


def _elapsed_s(point: Point) -> float:
    return point.elapsed_s


def _total_bytes(point: Point) -> int:
    return point.total_bytes
