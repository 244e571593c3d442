"""The school's own day, hour and school hours of a moment, held against the standard library's own reckoning."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.local_time import local_times, school_days
from mektep_collector.sla.period import read_period
from mektep_wire import DateRange, SchoolHours, Weekday
from mektep_wire.school_calendar import SchoolCalendar, SchoolTime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SCHOOL_WEEK = list(Weekday)[:5]


def calendar(zone: str = "Asia/Almaty", holidays: frozenset[date] = frozenset(), **changes: object) -> SchoolCalendar:
    hours = [SchoolHours(weekday=day, opens_at=time(8), closes_at=time(19)) for day in SCHOOL_WEEK]
    return SchoolCalendar(SchoolTime(time_zone=zone, school_hours=hours, **changes), holidays)  # type: ignore[arg-type]


def us(*moments: datetime) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([(at - EPOCH) // timedelta(microseconds=1) for at in moments], np.int64)


@given(
    st.sampled_from(["Asia/Almaty", "Europe/Berlin", "Pacific/Chatham", "UTC"]),
    st.lists(st.timedeltas(timedelta(0), timedelta(days=120)), max_size=30),
)
def test_day_hour_and_weekday_are_those_of_the_schools_own_clock(zone: str, drawn: list[timedelta]) -> None:
    period = read_period("2024-Q1", {})
    moments = [datetime(2023, 12, 20, tzinfo=UTC) + later for later in drawn]
    found = local_times(us(*moments), calendar(zone), period)
    for place, at in enumerate(moments):
        local = at.astimezone(ZoneInfo(zone))
        day = (local.date() - period.first).days
        if not 0 <= day < period.days_count:
            assert (found.day[place], found.hour[place], found.is_school[place]) == (-1, -1, False)
            continue
        assert (found.day[place], found.hour[place], found.weekday[place]) == (day, local.hour, local.weekday())
        assert found.is_school[place] == (local.weekday() < 5 and 8 <= local.hour < 19)


def test_the_night_in_which_almaty_set_its_clocks_back() -> None:
    # 29 February 2024 was 25 hours long: its last hour came twice
    moments = [datetime(2024, 2, 29, hour, 30, tzinfo=UTC) for hour in (17, 18, 19)]
    found = local_times(us(*moments), calendar(), read_period("2024-02-29/2024-03-01", {}))
    assert list(zip(found.day.tolist(), found.hour.tolist(), strict=True)) == [(0, 23), (0, 23), (1, 0)]


def test_days_off_and_holidays_are_no_school_and_a_working_day_is() -> None:
    autumn = DateRange(first=date(2026, 10, 26), last=date(2026, 11, 1))
    saturday = DateRange(first=date(2026, 10, 24), last=date(2026, 10, 24))
    of_october = calendar(holidays=frozenset({date(2026, 10, 5)}), days_off=[autumn], working_days=[saturday])
    period = read_period("2026-10", {})
    days = school_days(of_october, period)
    assert len(days) == 22 - 5 - 1 + 1
    noons = [datetime(2026, 10, day, 7, tzinfo=UTC) for day in (5, 6, 24, 25, 26)]
    assert local_times(us(*noons), of_october, period).is_school.tolist() == [False, True, True, False, False]


def test_school_begins_with_its_first_moment_and_ends_before_its_last() -> None:
    period = read_period("2026-10-06/2026-10-06", {})
    edges = [
        datetime(2026, 10, 6, 2, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 10, 6, 3, tzinfo=UTC),
        datetime(2026, 10, 6, 13, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 10, 6, 14, tzinfo=UTC),
    ]
    assert local_times(us(*edges), calendar(), period).is_school.tolist() == [False, True, True, False]


@pytest.mark.parametrize("moments", [[], [datetime(2026, 12, 1, tzinfo=UTC)]])
def test_without_school_nothing_is_school(moments: list[datetime]) -> None:
    without = SchoolCalendar(SchoolTime(time_zone="Asia/Almaty", school_hours=[]), frozenset())
    found = local_times(us(*moments), without, read_period("2026-12", {}))
    assert found.is_school.tolist() == [False] * len(moments)
