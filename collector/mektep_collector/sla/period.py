"""The period that a report is about: whole local days, from the first to the last, and how people write it.

`2026-10` is a month, `2026-Q4` a quarter of the calendar, `2026-10-05/2026-10-23` any days, ISO 8601 each; `2026-27/1`
is the first term of a school year, whose days the operator has set. Days are each school's own. Pure.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from mektep_wire import DateRange

LONGEST_DAYS = 1_100
"""Three years: what is longer was meant otherwise."""
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_DAYS = re.compile(r"(\d{4}-\d{2}-\d{2})/(\d{4}-\d{2}-\d{2})")
_TERM = re.compile(r"\d{4}-\d{2}/\d")
_HOW = "write a month as 2026-10, a quarter as 2026-Q4, a term as 2026-27/1, or days as 2026-10-05/2026-10-23"


class PeriodKind(StrEnum):
    """How the period was named."""

    MONTH = "month"
    QUARTER = "quarter"
    TERM = "term"
    DAYS = "days"


class PeriodError(ValueError):
    """What was written is no period; the message says what to write."""


class ReportPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Local days from `first` to `last`, both included. `name` is what was written."""

    kind: PeriodKind
    name: str
    first: date
    last: date

    @property
    def days_count(self) -> int:
        """How many days of the calendar it has."""
        return (self.last - self.first).days + 1

    def since(self, zone: ZoneInfo) -> datetime:
        """Return when its first day began in a zone, in UTC."""
        return _midnight(self.first, zone)

    def until(self, zone: ZoneInfo) -> datetime:
        """Return when its last day ended in a zone, in UTC."""
        return _midnight(self.last + timedelta(days=1), zone)

    def before(self) -> "ReportPeriod":
        """Return the period that it is compared with: the month or quarter before, else as many days before it."""
        last = self.first - timedelta(days=1)
        if self.kind is PeriodKind.MONTH:
            return _month(last.year, last.month)
        if self.kind is PeriodKind.QUARTER:
            return _quarter(last.year, (last.month + 2) // 3)
        return _days(last - timedelta(days=self.days_count - 1), last)


def read_period(text: str, terms: Mapping[str, DateRange]) -> ReportPeriod:
    """Return the period that somebody wrote; `terms` are the days of each term by its name. Raises PeriodError."""
    if found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2])
        if not (year >= 1 and 1 <= month <= 12):
            raise PeriodError(f"{text!r} is no month: a year has months 01 to 12")
        return _month(year, month)
    if found := _QUARTER.fullmatch(text):
        return _quarter(int(found[1]), int(found[2]))
    if found := _DAYS.fullmatch(text):
        return _read_days(text, found[1], found[2])
    if term := terms.get(text):
        return ReportPeriod(kind=PeriodKind.TERM, name=text, first=term.first, last=term.last)
    if _TERM.fullmatch(text):
        known = ", ".join(sorted(terms)) or "none"
        raise PeriodError(f"the term {text!r} is not set; set in `terms` of the configuration: {known}")
    raise PeriodError(f"{text!r} is no period: {_HOW}")


def _read_days(text: str, first: str, last: str) -> ReportPeriod:
    try:
        period = _days(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError as error:
        raise PeriodError(f"{text!r} is no period: {error}") from None
    if period.days_count < 1:
        raise PeriodError(f"{text!r} ends before it begins")
    if period.days_count > LONGEST_DAYS:
        raise PeriodError(f"{text!r} has {period.days_count} days; a report has {LONGEST_DAYS} at most")
    return period


def _month(year: int, month: int) -> ReportPeriod:
    _, days_count = monthrange(year, month)
    return ReportPeriod(
        kind=PeriodKind.MONTH,
        name=f"{year:04}-{month:02}",
        first=date(year, month, 1),
        last=date(year, month, days_count),
    )


def _quarter(year: int, quarter: int) -> ReportPeriod:
    return ReportPeriod(
        kind=PeriodKind.QUARTER,
        name=f"{year:04}-Q{quarter}",
        first=date(year, 3 * quarter - 2, 1),
        last=_month(year, 3 * quarter).last,
    )


def _days(first: date, last: date) -> ReportPeriod:
    return ReportPeriod(kind=PeriodKind.DAYS, name=f"{first}/{last}", first=first, last=last)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
