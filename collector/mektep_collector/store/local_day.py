"""Local days of a school's own time zone, quickly for many times in order: pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


class LocalDays:
    """Names the local day (ISO 8601) of times; the last one is remembered, so times in order cost a comparison."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._day = ""
        self._begins: datetime | None = None
        self._ends: datetime | None = None

    def day(self, at: datetime) -> str:
        """Return the local day of `at`, an aware time, as YYYY-MM-DD."""
        if self._begins is None or self._ends is None or not self._begins <= at < self._ends:
            date = at.astimezone(self._zone).date()
            self._begins = datetime.combine(date, time(0), self._zone).astimezone(at.tzinfo)
            self._ends = datetime.combine(date + _DAY, time(0), self._zone).astimezone(at.tzinfo)
            self._day = date.isoformat()
        return self._day
