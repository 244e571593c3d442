"""Where many moments lie in a school's own time: the day, the hour, the weekday, and whether it was school. Pure.

Hours are bounded by the school's clock, so an hour that clocks are set back over is two hours long, and one that they
are set forward over has no moment in it.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec
import numpy as np
from numpy.typing import NDArray

from mektep_collector.sla.period import ReportPeriod
from mektep_wire.school_calendar import SchoolCalendar

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HOURS_COUNT = 24


class LocalTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Moment i is of day `day[i]` of the period, counted from 0, or of none of its days where that is -1."""

    day: NDArray[np.int32]
    hour: NDArray[np.int8]
    weekday: NDArray[np.int8]
    """Monday is 0."""
    is_school: NDArray[np.bool_]


def local_times(at_us: NDArray[np.int64], calendar: SchoolCalendar, period: ReportPeriod) -> LocalTimes:
    """Return where moments, in microseconds since 1970 UTC and in any order, lie for schools of one calendar."""
    days = list(_days(period))
    hours_us = np.array(
        [
            _us(datetime(day.year, day.month, day.day, hour, tzinfo=calendar.zone))
            for day in days
            for hour in range(_HOURS_COUNT)
        ],
        np.int64,
    )
    ends_us = _us(period.until(calendar.zone))
    place = np.searchsorted(hours_us, at_us, side="right") - 1
    is_inside = (place >= 0) & (at_us < ends_us)
    weekdays = np.array([day.weekday() for day in days], np.int8)
    day = np.where(is_inside, place // _HOURS_COUNT, -1).astype(np.int32)
    return LocalTimes(
        day=day,
        hour=np.where(is_inside, place % _HOURS_COUNT, -1).astype(np.int8),
        weekday=np.where(is_inside, weekdays[np.maximum(day, 0)], -1).astype(np.int8),
        is_school=is_inside & _within_school(at_us, calendar, days),
    )


def school_days(calendar: SchoolCalendar, period: ReportPeriod) -> list[date]:
    """Return the days of a period on which there was school."""
    return [day for day in _days(period) if calendar.school_day(day) is not None]


def _within_school(at_us: NDArray[np.int64], calendar: SchoolCalendar, days: list[date]) -> NDArray[np.bool_]:
    spans = [span for day in days if (found := calendar.school_day(day)) is not None for span in found.spans]
    if not spans:
        return np.zeros(len(at_us), np.bool_)
    begins_us = np.array([_us(span.begin) for span in spans], np.int64)
    ends_us = np.array([_us(span.end) for span in spans], np.int64)
    place = np.searchsorted(begins_us, at_us, side="right") - 1
    return (place >= 0) & (at_us < ends_us[np.maximum(place, 0)])


def _days(period: ReportPeriod) -> Iterator[date]:
    return (period.first + timedelta(days=number) for number in range(period.days_count))


def _us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
