"""School days: weekdays with hours, less holidays and days off, plus working days by order; and the slots' own laws."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.schedule.slots import LEAST_LEFT_S, phase_s, slots_of, start_after
from mektep_wire import DateRange
from mektep_wire.school_calendar import DayKind, SchoolCalendar
from mektep_wire.school_day import SchoolDay
from tests.support.school_assignment import DEVICE_ID, HOLIDAYS_2026, school

ALMATY = ZoneInfo("Asia/Almaty")


def _calendar(**changes: object) -> SchoolCalendar:
    return SchoolCalendar(school(**changes), HOLIDAYS_2026)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 2, 2), DayKind.SCHOOL),
        (date(2026, 2, 7), DayKind.NO_HOURS),
        (date(2026, 3, 23), DayKind.HOLIDAY),
        (date(2026, 3, 9), DayKind.HOLIDAY),
        (date(2026, 7, 1), DayKind.DAY_OFF),
    ],
)
def test_a_date_is_a_school_day_or_says_why_not(day: date, kind: DayKind) -> None:
    assert _calendar().kind(day) is kind
    assert (_calendar().school_day(day) is not None) is (kind is DayKind.SCHOOL)


def test_a_working_day_goes_before_holiday_day_off_and_weekend() -> None:
    moved = [DateRange(first=day, last=day) for day in (date(2026, 3, 9), date(2026, 7, 1), date(2026, 2, 7))]
    calendar = _calendar(working_days=moved)
    for one in moved:
        day = calendar.school_day(one.first)
        assert calendar.kind(one.first) is DayKind.WORKING_DAY
        assert day is not None
        assert day.length_s == 11 * 3_600


def test_almaty_is_an_hour_west_of_where_it_was_before_march_2024() -> None:
    before, after = (SchoolDay(day, ALMATY, [(time(8), time(9))]) for day in (date(2024, 2, 29), date(2024, 3, 1)))
    assert before.spans[0].begin.hour == 2
    assert after.spans[0].begin.hour == 3


hours = st.lists(
    st.tuples(st.integers(0, 1_380), st.integers(1, 59)).map(
        lambda pair: (
            (datetime(2026, 1, 1) + timedelta(minutes=pair[0])).time(),  # noqa: DTZ001 (times of day)
            (datetime(2026, 1, 1) + timedelta(minutes=pair[0] + pair[1])).time(),  # noqa: DTZ001 (as above)
        )
    ).filter(lambda pair: pair[0] < pair[1]),
    min_size=1, max_size=6,
)  # fmt: skip
days = st.dates(date(2020, 1, 1), date(2035, 1, 1))
zones = st.sampled_from(["Asia/Almaty", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]).map(
    ZoneInfo
)


@given(days, zones, hours, st.integers(1, 24))
def test_slots_cover_the_school_day_in_equal_parts_and_start_within_it(
    day: date, zone: ZoneInfo, opened: list[tuple[time, time]], count: int
) -> None:
    school_day = SchoolDay(day, zone, opened)
    if not school_day.spans:
        return
    slots = slots_of(school_day, count, DEVICE_ID)
    assert slots[0].begin == school_day.spans[0].begin
    assert abs((slots[-1].end - school_day.spans[-1].end).total_seconds()) < 0.001
    for slot, after in itertools.pairwise(slots):
        assert abs(school_day.school_s_at(slot.end) - school_day.school_s_at(after.begin)) < 0.001
    for slot in slots:
        assert slot.begin <= slot.start
        assert school_day.holds(slot.start)


@given(days, st.floats(0, 11 * 3_600))
def test_who_comes_up_late_starts_in_what_is_left_or_not_at_all(day: date, late_s: float) -> None:
    school_day = SchoolDay(day, ALMATY, [(time(8), time(19))])
    up_at = school_day.moment_at(late_s)
    for slot in slots_of(school_day, 4, DEVICE_ID):
        start = start_after(slot, school_day, up_at, DEVICE_ID)
        if start is None:
            assert (slot.end - up_at).total_seconds() <= LEAST_LEFT_S
        else:
            assert max(up_at, slot.begin) <= start < slot.end


def test_seconds_of_school_and_moments_are_inverse() -> None:
    school_day = SchoolDay(date(2026, 2, 2), ALMATY, [(time(8), time(12)), (time(14), time(18))])
    for school_s in (0.0, 100.0, 14_399.0, 14_400.0, 20_000.0):
        assert school_day.school_s_at(school_day.moment_at(school_s)) == school_s
    assert school_day.moment_at(14_400.0) == datetime(2026, 2, 2, 9, tzinfo=UTC)


def test_a_phase_lies_within_its_interval_and_is_the_devices_own() -> None:
    phases = [phase_s(f"device {number}", "latency", 900.0) for number in range(300)]
    assert all(0 <= phase < 900 for phase in phases)
    assert len({round(phase / 90) for phase in phases}) == 11
    assert phase_s("device 1", "latency", 900.0) == phases[1]
