"""What the server says that it received of an upload, believed as far as it can be true.

A server may be wrong or lie. What contradicts itself, or what this computer knows, is left out, never corrected.
"""

from typing import Final

from mektep_agent.engines.ndt7.measurement import Report
from mektep_agent.sample import Point

_CLOCK_RATIO: Final = 0.01
_CLOCK_S: Final = 0.1
_LATE_RATIO: Final = 0.5
_LATE_S: Final = 1.0
_FIN_BYTES: Final = 16
_TLS_RATIO: Final = 0.01
_TLS_BYTES: Final = 1 << 14
_LONGEST_SEGMENT_BYTES: Final = 1 << 16


class UploadLedger:
    """Points of an upload as the server reported them, in order; times never go back, counts neither."""

    def __init__(self, *, is_secure: bool) -> None:
        self._is_secure = is_secure
        self.points: list[Point] = []
        self.refused_count = 0

    def take(self, report: Report, *, elapsed_s: float, since_request_s: float, sent_bytes: int) -> None:
        """Add what `report` says, or count it as refused; a report without a count is neither.

        `elapsed_s` and `since_request_s` are our own clock when the report came, from the end of the handshake and
        from our request; `sent_bytes` is what our socket had taken by then, request and framing included.

        Refused is: a time or a count that goes back; a time later than our own since the request, or so early that the
        message would have travelled for half the test; more bytes than were ever sent (for TLS, with its overhead).
        """
        if report.elapsed_s is None or report.received_bytes is None:
            return
        last = self.points[-1] if self.points else Point(0.0, 0)
        latest_s = since_request_s * (1 + _CLOCK_RATIO) + _CLOCK_S
        earliest_s = elapsed_s * _LATE_RATIO - _LATE_S
        most_bytes = sent_bytes + _FIN_BYTES
        if self._is_secure:
            most_bytes += int(sent_bytes * _TLS_RATIO) + _TLS_BYTES
        is_possible = (
            report.elapsed_s > last.elapsed_s
            and earliest_s <= report.elapsed_s <= latest_s
            and last.total_bytes <= report.received_bytes <= most_bytes
        )
        if is_possible:
            self.points.append(Point(report.elapsed_s, report.received_bytes, self._segments_count(report, last)))
        else:
            self.refused_count += 1

    @staticmethod
    def _segments_count(report: Report, last: Point) -> int | None:
        """Return the count of segments if it can be true: it never goes back, and none is longer than IP allows."""
        count = report.segments_count
        least = max(last.segments_count or 0, (report.received_bytes or 0) // _LONGEST_SEGMENT_BYTES)
        return count if count is not None and count >= least else None
