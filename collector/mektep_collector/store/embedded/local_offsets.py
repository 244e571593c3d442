"""How far local time stands from UTC in a period, as spans: what a database needs to know of a time zone; pure."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from mektep_collector.journal.correction import to_us
from mektep_collector.store.store import Period

_STEP = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LIMIT = datetime(2100, 1, 1, tzinfo=UTC)
_DAWN = datetime(2000, 1, 1, tzinfo=UTC)


class OffsetSpan(NamedTuple):
    """From `since_us` up to, not with, `until_us` local time is UTC and `offset_us`."""

    since_us: int
    until_us: int
    offset_us: int


def offset_spans(zone: ZoneInfo, period: Period) -> list[OffsetSpan]:
    """Return the spans of a zone that cover a period within 2000 to 2100, in order."""
    begins = max(period.since.astimezone(UTC), _DAWN)
    ends = max(begins, min(period.until.astimezone(UTC), _LIMIT)) + _SECOND
    spans: list[OffsetSpan] = []
    since, at, offset = begins, begins, _offset(zone, begins)
    while at < ends:
        later = min(at + _STEP, ends)
        if _offset(zone, later) != offset:
            changes = _change(zone, at, later)
            spans.append(OffsetSpan(to_us(since), to_us(changes), offset // timedelta(microseconds=1)))
            since, later, offset = changes, changes, _offset(zone, changes)
        at = later
    spans.append(OffsetSpan(to_us(since), to_us(ends), offset // timedelta(microseconds=1)))
    return spans


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first second of a new offset between two times that differ in it."""
    offset = _offset(zone, before)
    while after - before > _SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle <= before:
            break
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)
