"""Months as a school's contract counts them: local calendar months, named `2026-11`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_DECEMBER = 12


def month_of(at: datetime, zone: ZoneInfo) -> str:
    """Return the name of the school's own month at `at`; names sort in the order of time."""
    return at.astimezone(zone).strftime("%Y-%m")


def end_of(month: str, zone: ZoneInfo) -> datetime:
    """Return the moment when `month` ends and the next begins, in UTC."""
    year, number = _parts(month)
    following = (year + 1, 1) if number == _DECEMBER else (year, number + 1)
    return datetime(*following, 1, tzinfo=zone).astimezone(UTC)


def before(month: str) -> str:
    """Return the name of the month before `month`."""
    year, number = _parts(month)
    return f"{year - 1:04d}-12" if number == 1 else f"{year:04d}-{number - 1:02d}"


def _parts(month: str) -> tuple[int, int]:
    year, number = month.split("-")
    return int(year), int(number)
