"""Which local dates are school days: the weekdays with hours, less days off and public holidays, plus working days.

The agent measures by it and the collector judges by it, so both read an assignment's school time in one way.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from mektep_wire.assignment import DateRange, SchoolHours, Weekday
from mektep_wire.school_day import SchoolDay

_WEEKDAYS = tuple(Weekday)
_REMEMBERED_DAYS_COUNT = 128


class DayKind(StrEnum):
    """Why a date is a school day or is none."""

    SCHOOL = "school"
    WORKING_DAY = "working_day"
    """A day off by the calendar that was made a working day by order."""
    NO_HOURS = "no_hours"
    DAY_OFF = "day_off"
    HOLIDAY = "holiday"


class HasSchoolTime(Protocol):
    """What a calendar is made from; an assignment has it."""

    @property
    def time_zone(self) -> str:
        """A tz database name."""
        ...

    @property
    def school_hours(self) -> Sequence[SchoolHours]:
        """Hours by weekday, local."""
        ...

    @property
    def days_off(self) -> Sequence[DateRange]:
        """Days without school."""
        ...

    @property
    def working_days(self) -> Sequence[DateRange]:
        """Days with school in spite of days off and holidays."""
        ...


class SchoolTime(msgspec.Struct, frozen=True, kw_only=True):
    """School time by itself, for whoever has no assignment at hand; its fields are an assignment's."""

    time_zone: str
    school_hours: Sequence[SchoolHours]
    days_off: Sequence[DateRange] = ()
    working_days: Sequence[DateRange] = ()


class SchoolCalendar:
    """The calendar of one school. `holidays` are the public holidays of the country, by local date."""

    def __init__(self, school_time: HasSchoolTime, holidays: frozenset[date]) -> None:
        self.zone = ZoneInfo(school_time.time_zone)
        self._school_time = school_time
        self._holidays = holidays
        self._days: dict[date, SchoolDay | None] = {}

    def local_date(self, at: datetime) -> date:
        """Return the school's own date at `at`."""
        return at.astimezone(self.zone).date()

    def kind(self, day: date) -> DayKind:
        """Return why `day` is a school day or is none."""
        if _falls_in(day, self._school_time.working_days):
            return DayKind.WORKING_DAY if self._hours(day) else DayKind.NO_HOURS
        if _falls_in(day, self._school_time.days_off):
            return DayKind.DAY_OFF
        if day in self._holidays:
            return DayKind.HOLIDAY
        return DayKind.SCHOOL if self._hours(day) else DayKind.NO_HOURS

    def school_day(self, day: date) -> SchoolDay | None:
        """Return the school hours of `day`, or None where there is no school."""
        if day not in self._days:
            if len(self._days) >= _REMEMBERED_DAYS_COUNT:
                self._days.clear()
            self._days[day] = self._computed(day)
        return self._days[day]

    def _computed(self, day: date) -> SchoolDay | None:
        if self.kind(day) not in {DayKind.SCHOOL, DayKind.WORKING_DAY}:
            return None
        school_day = SchoolDay(day, self.zone, self._hours(day))
        return school_day if school_day.spans else None

    def _hours(self, day: date) -> list[tuple[time, time]]:
        """Return the hours of the weekday; a working day without hours of its own has those of the fullest weekday."""
        own = _hours_of(self._school_time.school_hours, _WEEKDAYS[day.weekday()])
        if own or not _falls_in(day, self._school_time.working_days):
            return own
        each = (_hours_of(self._school_time.school_hours, weekday) for weekday in _WEEKDAYS)
        return max(each, key=len, default=[])


def _hours_of(hours: Sequence[SchoolHours], weekday: Weekday) -> list[tuple[time, time]]:
    return [(one.opens_at, one.closes_at) for one in hours if one.weekday is weekday]


def _falls_in(day: date, ranges: Sequence[DateRange]) -> bool:
    return any(one.first <= day <= one.last for one in ranges)
