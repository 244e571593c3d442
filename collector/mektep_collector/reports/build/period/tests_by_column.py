"""Runs of a period by column, each in its school's own time and beside the contract of its own day. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from mektep_collector.registry.records import Commitment, School
from mektep_collector.sla.local_time import local_times
from mektep_collector.sla.period import ReportPeriod
from mektep_collector.store.run_columns import FAILED, OK, SKIPPED, RunColumns
from mektep_wire.school_calendar import SchoolCalendar

Calendars = Mapping[str, SchoolCalendar]
"""The calendar of each time zone, by its name."""


class Hours(StrEnum):
    """Which tests a report counts."""

    SCHOOL = "school"
    ALL = "all"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A school under one contract: until a later one begins, or under none. `school` is its place in the report."""

    school: int
    commitment: Commitment | None
    first: date


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of a report's schools, by school and day; line i begins `first_day[i]` days after the period does."""

    lines: Sequence[Line]
    school: NDArray[np.int64]
    first_day: NDArray[np.int64]

    def at(self, school: NDArray[np.int32], day: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the line of each school and day."""
        keys = (self.school << 32) + self.first_day
        return (np.searchsorted(keys, (school.astype(np.int64) << 32) + day, side="right") - 1).astype(np.int32)


class Tests(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that the report counts: run i is of `school[i]` on `line[i]`, and has `value[i]`, NaN where it gave none."""

    school: NDArray[np.int32]
    line: NDArray[np.int32]
    day: NDArray[np.int32]
    hour: NDArray[np.int8]
    weekday: NDArray[np.int8]
    outcome: NDArray[np.int8]
    value: NDArray[np.float64]

    @property
    def is_ok(self) -> NDArray[np.bool_]:
        """Whether a run gave a value."""
        found: NDArray[np.bool_] = self.outcome == OK
        return found

    @property
    def is_failed(self) -> NDArray[np.bool_]:
        """Whether a run was made and gave none."""
        found: NDArray[np.bool_] = self.outcome == FAILED
        return found

    @property
    def is_skipped(self) -> NDArray[np.bool_]:
        """Whether a run was planned and not made."""
        found: NDArray[np.bool_] = self.outcome == SKIPPED
        return found


def lines_of(schools: Sequence[School], contracts: Mapping[str, Sequence[Commitment]], period: ReportPeriod) -> Lines:
    """Return the lines of schools in a period; contracts of a school are in the order of their days."""
    lines: list[Line] = []
    for place, school in enumerate(schools):
        begun = [each for each in contracts.get(school.id, ()) if each.valid_from <= period.first]
        later = [each for each in contracts.get(school.id, ()) if period.first < each.valid_from <= period.last]
        lines.append(Line(school=place, commitment=begun[-1] if begun else None, first=period.first))
        lines += [Line(school=place, commitment=each, first=each.valid_from) for each in later]
    return Lines(
        lines=lines,
        school=np.array([line.school for line in lines], np.int64),
        first_day=np.array([(line.first - period.first).days for line in lines], np.int64),
    )


def tests_of(
    runs: RunColumns,
    schools: Sequence[School],
    lines: Lines,
    calendars: Calendars,
    period: ReportPeriod,
    hours: Hours,
) -> Tests:
    """Return the runs that count; `runs` are of `schools` in their order."""
    zones = {name: number for number, name in enumerate(sorted({school.time_zone for school in schools}))}
    zone_of = np.array([zones[school.time_zone] for school in schools], np.int16)
    zone = zone_of[runs.school] if len(schools) else np.empty(0, np.int16)
    day = np.full(len(runs), -1, np.int32)
    hour, weekday = np.full(len(runs), -1, np.int8), np.full(len(runs), -1, np.int8)
    is_counted = np.zeros(len(runs), np.bool_)
    for name, number in zones.items():
        own = zone == number
        found = local_times(runs.at_us[own], calendars[name], period)
        day[own], hour[own], weekday[own] = found.day, found.hour, found.weekday
        is_counted[own] = found.is_school if hours is Hours.SCHOOL else found.day >= 0
    school, day = runs.school[is_counted], day[is_counted]
    return Tests(
        school=school,
        line=lines.at(school, day),
        day=day,
        hour=hour[is_counted],
        weekday=weekday[is_counted],
        outcome=runs.outcome[is_counted],
        value=runs.value[is_counted],
    )
