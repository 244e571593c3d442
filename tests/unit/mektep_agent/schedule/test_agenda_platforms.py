"""Platforms are looked at once an hour in school hours, at a minute that is the device's own."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mektep_agent.schedule.agenda import Agenda
from mektep_wire import ProbeName
from mektep_wire.school_calendar import SchoolCalendar
from tests.support.school_assignment import DEVICE_ID, HOLIDAYS_2026, OTHER_DEVICE_ID, school

ALMATY = ZoneInfo("Asia/Almaty")
MONDAY = datetime(2026, 2, 2, tzinfo=ALMATY).astimezone(UTC)


def _looks(device_id: str, days_count: int, interval_s: float = 3_600.0) -> list[datetime]:
    """Return when a daemon that asks its agenda each time it says would look at platforms."""
    assignment = school(device_id=device_id, platform_interval_s=interval_s)
    calendar = SchoolCalendar(assignment, HOLIDAYS_2026)
    agenda = Agenda(
        assignment, calendar, (ProbeName.PLATFORM,), up_at=MONDAY, since=MONDAY, startup_at=None, marks=()
    )  # fmt: skip
    now, found = MONDAY, []
    while now < MONDAY + timedelta(days=days_count):
        found += [now for errand in agenda.due(now) if errand.probe is ProbeName.PLATFORM]
        now = agenda.next_at(now)
    return found


@pytest.mark.parametrize(("interval_s", "per_day"), [(3_600.0, {11}), (7_200.0, {5, 6})])
def test_a_school_day_has_one_look_an_interval_and_a_weekend_none(interval_s: float, per_day: set[int]) -> None:
    looks = [at.astimezone(ALMATY) for at in _looks(DEVICE_ID, 7, interval_s)]
    assert {at.weekday() for at in looks} == {0, 1, 2, 3, 4}
    assert {sum(at.weekday() == day for at in looks) for day in range(5)} <= per_day
    assert all(8 <= at.hour < 19 for at in looks)
    gaps = {(after - before).total_seconds() for before, after in itertools.pairwise(looks)}
    assert min(gaps) >= interval_s - 1.0


def test_two_devices_look_at_different_minutes() -> None:
    one, other = _looks(DEVICE_ID, 1)[0], _looks(OTHER_DEVICE_ID, 1)[0]
    assert one.minute != other.minute
