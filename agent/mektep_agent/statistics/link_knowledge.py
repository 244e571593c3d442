"""What a device's own full-length tests have taught it about its link: pure.

Some links carry several times their rate for the first megabytes (a token bucket), and some look steady before they
are. Neither shows in a short test. A full-length test shows both: what the short one would have said can be read from
the same points, and held against what came after.
"""

from bisect import bisect_left
from typing import Final

import msgspec

from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.steady import Demand, measured, measured_in_any_order, steady_part

MAX_BURST_BYTES: Final = 200_000_000
MAX_LONGER_RATIO: Final = 16.0
_ALLOWED_ERROR_RATIO: Final = 0.05
_BURST_RATIO: Final = 1.1
_MARGIN_RATIO: Final = 1.15
_FADE_RATIO: Final = 0.7
_POLICED_RATIO: Final = 0.04
"""A line loses less; a policer that BBR runs into drops 7 to 11 % (four links of the grid)."""
_LEAST_TAIL_S: Final = 2.0
_EVEN_RATIO: Final = 0.04
_TAIL_BEGINNINGS: Final = (1 / 2, 2 / 3, 3 / 4)
"""Where the part that is behind every burst may begin: TCP needs seconds to find itself after a fall."""


class LinkKnowledge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Knowledge of one direction towards one server from one network. It only ever says how long to look, never what.

    `burst_bytes` is what a test lets pass before it believes anything, `longer_ratio` how many times the usual length a
    steady part must have. `audit_count` full-length tests have taught it; of the last one, `last_error_ratio` is what
    the short test would have read over the truth, less one.
    """

    burst_bytes: int = 0
    longer_ratio: float = 1.0
    audit_count: int = 0
    last_error_ratio: float | None = None

    @property
    def demand(self) -> Demand:
        """What is asked of a steady part."""
        return Demand(passed_bytes=self.burst_bytes, longer_ratio=self.longer_ratio)


def learn(knowledge: LinkKnowledge, sample: ThroughputSample) -> LinkKnowledge:
    """Return what is known after a full-length test; one that is too short or too uneven to teach changes nothing.

    A burst is believed at once and forgotten slowly; a part that was steady too early makes the next ones longer, one
    that was right lets them shrink again, save behind a policer. An uneven test of which somebody dropped more than any
    line loses makes them as long as can be: while its bucket has tokens, a policer lets a part be even at any rate.
    """
    points = sample.points
    tail = _tail(points)
    is_policed = _is_policed(sample)
    if tail is None:
        if not points or not is_policed:
            return knowledge
        return msgspec.structs.replace(
            knowledge, longer_ratio=MAX_LONGER_RATIO, audit_count=knowledge.audit_count + 1, last_error_ratio=None
        )
    tail_mbps, tail_begin = tail
    burst_bytes = _burst_bytes(points, tail_mbps, tail_begin)
    kept_bytes = max(burst_bytes, int(knowledge.burst_bytes * _FADE_RATIO))
    if kept_bytes < points[-1].total_bytes // 100:
        kept_bytes = 0
    told = short_value_mbps(points, Demand(passed_bytes=kept_bytes, longer_ratio=knowledge.longer_ratio))
    error_ratio = told / tail_mbps - 1 if told is not None else None
    is_wrong = error_ratio is not None and abs(error_ratio) > _ALLOWED_ERROR_RATIO
    fade_ratio = 1.0 if is_policed and not kept_bytes else _FADE_RATIO
    longer_ratio = knowledge.longer_ratio * 2 if is_wrong else max(1.0, knowledge.longer_ratio * fade_ratio)
    was_told = short_value_mbps(points, knowledge.demand)
    return LinkKnowledge(
        burst_bytes=min(kept_bytes, MAX_BURST_BYTES),
        longer_ratio=min(longer_ratio, MAX_LONGER_RATIO),
        audit_count=knowledge.audit_count + 1,
        last_error_ratio=was_told / tail_mbps - 1 if was_told is not None else None,
    )


def short_value_mbps(points: tuple[Point, ...], demand: Demand) -> float | None:
    """Return what a test that stops as soon as it may would have read from these points, None if it would not stop."""
    for count in range(1, len(points) + 1):
        found = steady_part(points[:count], demand)
        if found is not None:
            return found.value_mbps
    return None


def _tail(points: tuple[Point, ...]) -> tuple[float, int] | None:
    """Return the rate of the second half and where that begins: what the link carries when every burst is spent.

    Where that half is not even, the last third, or the last quarter; each in order, or else by segments: one lost
    segment holds back all that follow it, and the link carries them all the same. None where no part is even: then
    they tell how TCP fared with its losses, and not what the link carries.
    """
    for share in _TAIL_BEGINNINGS if points else ():
        begin = bisect_left(points, share * points[-1].elapsed_s, key=_elapsed_s)
        for found in (measured(points, begin), measured_in_any_order(points, begin)):
            if found is None or found.until_s - found.since_s < _LEAST_TAIL_S:
                continue
            if found.half_width_mbps <= _EVEN_RATIO * found.value_mbps:
                return found.value_mbps, begin
    return None


def _is_policed(sample: ThroughputSample) -> bool:
    """Tell whether more was sent again than a line that queues would have dropped."""
    sent_bytes, again_bytes = sample.tcp.bytes_sent or 0, sample.tcp.bytes_retransmitted or 0
    return again_bytes > _POLICED_RATIO * sent_bytes


def _elapsed_s(point: Point) -> float:
    return point.elapsed_s


def _burst_bytes(points: tuple[Point, ...], tail_mbps: float, tail_begin: int) -> int:
    """Return how many bytes went through above the later rate, with a margin; 0 where the link gave no burst.

    They are read off where the line of the later rate, drawn back from the tail, leaves the bytes that really came.
    """
    since = points[tail_begin]
    bytes_a_s = tail_mbps / 8e-6
    head = points[:tail_begin]
    # How far ahead of a link that always had the later rate the transfer was, at each point.
    ahead = [point.total_bytes - bytes_a_s * point.elapsed_s for point in head]
    best = max(range(len(head)), key=ahead.__getitem__, default=None)
    if best is None:
        return 0
    spent = head[best]
    is_burst = spent.elapsed_s > 0 and spent.total_bytes > _BURST_RATIO * bytes_a_s * spent.elapsed_s
    is_lasting = since.total_bytes - bytes_a_s * since.elapsed_s > 0.02 * since.total_bytes
    return int(spent.total_bytes * _MARGIN_RATIO) if is_burst and is_lasting else 0
