"""One day's school hours as spans of true time, and the way from seconds of school to moments and back.

Local hours become UTC through the time zone's own rules, so a day on which clocks change has the length it has.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Span(NamedTuple):
    """From `begin` up to, not with, `end`; aware, in UTC."""

    begin: datetime
    end: datetime


class SchoolDay:
    """The school hours of one local date: spans that do not overlap, in order."""

    def __init__(self, day: date, zone: ZoneInfo, hours: Iterable[tuple[time, time]]) -> None:
        self.day = day
        self.spans = _merged(
            [Span(_utc(day, opens_at, zone), _utc(day, closes_at, zone)) for opens_at, closes_at in hours]
        )
        self.length_s = sum((span.end - span.begin).total_seconds() for span in self.spans)

    def holds(self, at: datetime) -> bool:
        """Tell whether school is open at `at`."""
        return any(span.begin <= at < span.end for span in self.spans)

    def moment_at(self, school_s: float) -> datetime:
        """Return the moment when so many seconds of school have passed, at most the end of the day."""
        rest_s = school_s
        for span in self.spans:
            length_s = (span.end - span.begin).total_seconds()
            if rest_s < length_s:
                return span.begin + timedelta(seconds=rest_s)
            rest_s -= length_s
        return self.spans[-1].end

    def school_s_at(self, at: datetime) -> float:
        """Return how many seconds of school have passed at `at`."""
        return sum((min(max(at, span.begin), span.end) - span.begin).total_seconds() for span in self.spans)


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.begin < span.end):
        if merged and span.begin <= merged[-1].end:
            merged[-1] = Span(merged[-1].begin, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)
