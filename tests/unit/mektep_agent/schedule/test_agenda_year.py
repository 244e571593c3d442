"""A year of school days on an injected clock, in about a second: what runs, when, and what is said of what did not."""

import itertools
import time as stopwatch
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from mektep_agent.schedule.agenda import Agenda, Errand
from mektep_agent.schedule.trigger import AgendaTrigger
from mektep_wire import Assignment, DateRange, ProbeName, SchoolHours, Trigger, Weekday
from mektep_wire.school_calendar import SchoolCalendar
from tests.support.school_assignment import HOLIDAYS_2026, OTHER_DEVICE_ID, school

PROBES = (ProbeName.THROUGHPUT, ProbeName.LATENCY, ProbeName.PATH)
ALMATY = ZoneInfo("Asia/Almaty")
Ran = tuple[datetime, Errand]


def _agenda(assignment: Assignment, up_at: datetime, marks: frozenset[str] = frozenset()) -> Agenda:
    return Agenda(
        assignment,
        SchoolCalendar(assignment, HOLIDAYS_2026),
        PROBES,
        up_at=up_at,
        since=datetime(2025, 12, 1, tzinfo=UTC),
        startup_at=None,
        marks=marks,
    )


def _drive(agenda: Agenda, begin: datetime, end: datetime, ran: list[Ran] | None = None) -> list[Ran]:
    """Do what APScheduler does with the trigger, on a clock that jumps from firing to firing."""
    trigger = AgendaTrigger(agenda.next_at)
    ran = [] if ran is None else ran
    now = begin
    while now < end:
        ran += [(now, errand) for errand in agenda.due(now)]
        fire_at = trigger.get_next_fire_time(now, now)
        assert fire_at > now
        now = fire_at
    return ran


def _slots(ran: list[Ran]) -> list[tuple[datetime, str]]:
    return [(at, errand.slot) for at, errand in ran if errand.slot is not None]


def _begin(year: int = 2026) -> datetime:
    return datetime(year, 1, 1, tzinfo=ALMATY).astimezone(UTC)


def test_a_year_in_almaty_has_four_slots_on_each_school_day_and_none_on_others() -> None:
    begun_s = stopwatch.perf_counter()
    assignment = school()
    ran = _drive(_agenda(assignment, _begin()), _begin(), _begin(2027))
    took_s = stopwatch.perf_counter() - begun_s
    by_day = Counter(at.astimezone(ALMATY).date() for at, _ in _slots(ran))
    day, expected = date(2026, 1, 1), set()
    while day.year == 2026:
        is_break = date(2026, 5, 26) <= day <= date(2026, 8, 31)
        if day.weekday() < 5 and day not in HOLIDAYS_2026 and not is_break:
            expected.add(day)
        day += timedelta(days=1)
    assert by_day.keys() == expected
    assert set(by_day.values()) == {4}
    assert len({slot for _, slot in _slots(ran)}) == 4 * len(expected)
    assert all(time(8) <= at.astimezone(ALMATY).time() < time(19) for at, _ in ran)
    assert took_s < 5.0, f"a year took {took_s:.1f} s"


def test_each_slot_starts_in_its_own_quarter_of_the_school_day() -> None:
    ran = _drive(_agenda(school(), _begin()), _begin(), _begin() + timedelta(days=60))
    for at, slot in _slots(ran):
        local = at.astimezone(ALMATY)
        quarter = (local - local.replace(hour=8, minute=0, second=0, microsecond=0)) / timedelta(hours=11 / 4)
        assert int(quarter) + 1 == int(slot.rpartition("/")[2])


def test_latency_comes_each_quarter_of_an_hour_and_path_each_hour_of_school() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY).astimezone(UTC)
    ran = _drive(_agenda(school(), monday), monday, monday + timedelta(days=1))
    counted = Counter(errand.probe for _, errand in ran)
    assert counted == {ProbeName.THROUGHPUT: 4, ProbeName.LATENCY: 44, ProbeName.PATH: 11}
    latency = [at for at, errand in ran if errand.probe is ProbeName.LATENCY]
    assert {after - before for before, after in itertools.pairwise(latency)} == {timedelta(seconds=900)}


def test_two_devices_measure_at_different_times_and_one_device_at_the_same() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY).astimezone(UTC)
    own, again, other = (
        _drive(_agenda(assignment, monday), monday, monday + timedelta(days=1))
        for assignment in (school(), school(), school(device_id=OTHER_DEVICE_ID))
    )
    assert own == again
    assert not {at for at, _ in own} & {at for at, _ in other}


def test_a_fleet_is_spread_over_the_school_day() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY).astimezone(UTC)
    hours: Counter[int] = Counter()
    for number in range(400):
        assignment = school(device_id=f"{number:08d}-3333-4333-8333-333333333333")
        for day_slot in _agenda(assignment, monday).slots_on(date(2026, 2, 2)):
            hours[day_slot.start.astimezone(ALMATY).hour] += 1
    assert set(hours) == set(range(8, 19))
    assert max(hours.values()) < 1.4 * 1_600 / 11


def test_a_machine_that_is_off_in_the_morning_reports_the_morning_and_measures_the_rest() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY)
    up_at = monday.replace(hour=14).astimezone(UTC)
    agenda = _agenda(school(), up_at, _marks_until(monday.date()))
    ran = _drive(agenda, up_at, monday.replace(hour=23).astimezone(UTC))
    missed = agenda.missed(monday.replace(hour=23).astimezone(UTC))
    assert [slot.name for slot in missed] == ["2026-02-02/1", "2026-02-02/2"]
    assert [slot for _, slot in _slots(ran)] == ["2026-02-02/3", "2026-02-02/4"]
    assert agenda.missed(monday.replace(hour=23).astimezone(UTC)) == []


def test_a_late_boot_draws_anew_instead_of_measuring_at_once() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY)
    delays = []
    for number in range(50):
        assignment = school(device_id=f"{number:08d}-3333-4333-8333-333333333333")
        third = _agenda(assignment, monday.astimezone(UTC)).slots_on(monday.date())[2]
        up_at = third.start + timedelta(seconds=1)
        if (third.end - up_at).total_seconds() < 600:
            continue
        agenda = _agenda(assignment, up_at)
        (at, slot), *_ = _slots(_drive(agenda, up_at, third.end))
        assert slot == third.name
        assert up_at < at < third.end
        delays.append((at - up_at) / (third.end - up_at))
    assert 0.3 < sum(delays) / len(delays) < 0.7, "starts are not spread over what is left"


def test_the_last_minute_of_a_slot_is_too_late_for_a_test() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY)
    second = _agenda(school(), monday.astimezone(UTC)).slots_on(monday.date())[1]
    up_at = second.end - timedelta(seconds=60)
    agenda = _agenda(school(), up_at, _marks_until(monday.date()) | {"2026-02-02/1"})
    assert "2026-02-02/2" not in [slot for _, slot in _slots(_drive(agenda, up_at, second.end))]
    assert [slot.name for slot in agenda.missed(second.end)] == ["2026-02-02/2"]


def test_a_month_off_is_reported_no_further_back_than_a_month() -> None:
    now = datetime(2026, 4, 30, 18, tzinfo=UTC)
    missed = _agenda(school(), now).missed(now)
    assert missed[0].name == "2026-03-31/1"
    assert missed[-1].name == "2026-04-30/4"


def test_no_slot_from_before_the_enrolment_was_missed() -> None:
    assignment, now = school(), datetime(2026, 4, 30, 18, tzinfo=UTC)
    agenda = Agenda(
        assignment, SchoolCalendar(assignment, HOLIDAYS_2026), PROBES,
        up_at=now, since=datetime(2026, 4, 30, 6, tzinfo=UTC), startup_at=None, marks=(),
    )  # fmt: skip
    assert [slot.name for slot in agenda.missed(now)] == ["2026-04-30/3", "2026-04-30/4"]


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(hours=-9), timedelta(days=-3650)])
def test_a_clock_set_back_never_runs_a_slot_twice(step: timedelta) -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY).astimezone(UTC)
    agenda = _agenda(school(), monday)
    noon = monday + timedelta(hours=13)
    ran = _drive(agenda, monday, noon)
    _drive(agenda, noon + step, noon + step + timedelta(days=1), ran)
    assert max(Counter(slot for _, slot in _slots(ran)).values()) == 1


def test_what_the_outbox_remembers_is_not_run_again_after_a_restart() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY).astimezone(UTC)
    first = _agenda(school(), monday)
    ran = _drive(first, monday, monday + timedelta(hours=13))
    second = _agenda(school(), monday + timedelta(hours=9), first.marks)
    _drive(second, monday + timedelta(hours=9), monday + timedelta(days=1), ran)
    assert sorted(slot for _, slot in _slots(ran)) == [f"2026-02-02/{number}" for number in (1, 2, 3, 4)]


def test_a_clock_that_ran_ahead_leaves_no_marks_on_days_that_have_not_come() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY).astimezone(UTC)
    agenda = _agenda(school(), monday + timedelta(days=3))
    _drive(agenda, monday + timedelta(days=3), monday + timedelta(days=4))
    assert agenda.drop_marks_after(monday + timedelta(hours=12)) == [f"2026-02-05/{number}" for number in (1, 2, 3, 4)]
    assert agenda.marks == frozenset()


def test_the_startup_test_takes_no_slot_and_comes_once_a_day() -> None:
    monday = datetime(2026, 2, 2, tzinfo=ALMATY).astimezone(UTC)
    up_at = monday + timedelta(hours=8)

    def started(marks: frozenset[str]) -> Agenda:
        assignment = school()
        return Agenda(
            assignment, SchoolCalendar(assignment, HOLIDAYS_2026), PROBES,
            up_at=up_at, since=monday, startup_at=up_at + timedelta(seconds=400), marks=marks,
        )  # fmt: skip

    agenda = started(frozenset())
    ran = _drive(agenda, up_at, monday + timedelta(days=1))
    startups = [at for at, errand in ran if errand.trigger is Trigger.STARTUP]
    assert startups == [up_at + timedelta(seconds=400)]
    assert len(_slots(ran)) == 4
    again = _drive(started(agenda.marks), up_at, monday + timedelta(days=1))
    assert [errand for _, errand in again if errand.trigger is Trigger.STARTUP] == []


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        ("Europe/Berlin", date(2026, 3, 29), timedelta(hours=4)),
        ("Europe/Berlin", date(2026, 10, 25), timedelta(hours=6)),
        ("Europe/Berlin", date(2026, 3, 30), timedelta(hours=5)),
    ],
)
def test_on_days_when_clocks_change_the_slots_share_the_hours_that_there_are(
    zone: str, day: date, length: timedelta
) -> None:
    assignment = school(
        zone,
        time(0),
        time(5),
        holiday_country=None,
        days_off=[],
        working_days=[DateRange(first=day, last=day)],
        throughput_slots_count=3,
    )
    begin = datetime.combine(day, time(0), ZoneInfo(zone)).astimezone(UTC)
    slots = _agenda(assignment, begin).slots_on(day)
    assert slots[-1].end - slots[0].begin == length
    assert {slot.end - slot.begin for slot in slots} == {length / 3}
    ran = _drive(_agenda(assignment, begin), begin, begin + timedelta(hours=8))
    assert len(_slots(ran)) == 3


def test_two_shifts_are_one_school_day_without_its_break() -> None:
    shifts = ((time(14), time(18)), (time(8), time(12)))
    assignment = school(
        school_hours=[SchoolHours(weekday=Weekday.MONDAY, opens_at=begin, closes_at=end) for begin, end in shifts]
    )
    monday = datetime(2026, 2, 2, tzinfo=ALMATY)
    slots = _agenda(assignment, monday.astimezone(UTC)).slots_on(monday.date())
    assert [slot.begin.astimezone(ALMATY).hour for slot in slots] == [8, 10, 14, 16]
    ran = _drive(
        _agenda(assignment, monday.astimezone(UTC)), monday.astimezone(UTC), monday.astimezone(UTC) + timedelta(days=1)
    )
    assert all(at.astimezone(ALMATY).hour in {8, 9, 10, 11, 14, 15, 16, 17} for at, _ in ran)


def _marks_until(day: date) -> frozenset[str]:
    """Return marks of all slots of the month before `day`."""
    days = (day - timedelta(days=back) for back in range(1, 40))
    return frozenset(f"{one.isoformat()}/{number}" for one in days for number in (1, 2, 3, 4))
