"""The period that the pages speak of: thirty local days of a school, today among them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mektep_collector.store.store import Period

DAYS_COUNT = 30


def last_days(now: datetime, zone: ZoneInfo) -> Period:
    """Return the period from the local midnight that began the first of `DAYS_COUNT` days up to, not with, `now`."""
    first = local_days(now, zone)[0]
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    return Period(since.astimezone(now.tzinfo), now)


def local_days(now: datetime, zone: ZoneInfo) -> list[date]:
    """Return the local dates of the period, in order."""
    today = now.astimezone(zone).date()
    return [today - timedelta(days=back) for back in range(DAYS_COUNT - 1, -1, -1)]
