"""What round trips take when the line is idle, from a week of readings: a longer one now means that others use it."""

from datetime import datetime, timedelta

import msgspec

WINDOW = timedelta(days=7)
LEAST_COUNT = 8
_KEPT_COUNT = 800
_IDLE_QUANTILE = 0.1
_FACTOR = 2.0
_MARGIN_MS = 10.0


class TimedRtt(msgspec.Struct, frozen=True, array_like=True):
    """The median round trip of one reading."""

    at: datetime
    rtt_ms: float


class RttBaseline(msgspec.Struct, frozen=True):
    """Round trips of the last seven days to one place."""

    seen: tuple[TimedRtt, ...] = ()

    def with_one(self, at: datetime, rtt_ms: float) -> "RttBaseline":
        """Return the baseline with one more reading, without those that are too old for it or of times to come."""
        kept = tuple(one for one in self.seen if at - WINDOW <= one.at <= at)
        return RttBaseline((*kept, TimedRtt(at, rtt_ms))[-_KEPT_COUNT:])

    @property
    def idle_ms(self) -> float | None:
        """The 10th percentile: also on a line that is busy most of the day. None with too few readings."""
        if len(self.seen) < LEAST_COUNT:
            return None
        ordered = sorted(one.rtt_ms for one in self.seen)
        return ordered[int(_IDLE_QUANTILE * len(ordered))]

    def is_inflated(self, rtt_ms: float) -> bool:
        """Tell whether `rtt_ms` is more than twice the idle one and 10 ms above it; not while there is no baseline."""
        idle_ms = self.idle_ms
        return idle_ms is not None and rtt_ms > max(_FACTOR * idle_ms, idle_ms + _MARGIN_MS)
