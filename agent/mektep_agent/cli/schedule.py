"""`mektep-agent schedule`: which days are school days, and when this device measures on them."""

import asyncio
import sys
from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec
import typer

from mektep_agent.cli.settle import ConfigOption, JsonOption, StateDirOption, fail, folder_of, say, settle
from mektep_agent.clock import SystemTime
from mektep_agent.daemon.exit_code import ExitCode
from mektep_agent.identity.last_assignment import AssignmentError, load_assignment
from mektep_agent.schedule.public_holidays import HolidayError, compute_table, load_table
from mektep_agent.schedule.slots import slots_of
from mektep_wire import Assignment
from mektep_wire.school_calendar import DayKind, SchoolCalendar

_WORDS = {
    DayKind.SCHOOL: "school day",
    DayKind.WORKING_DAY: "working day by order",
    DayKind.NO_HOURS: "no school hours on this weekday",
    DayKind.DAY_OFF: "day off by the assignment",
    DayKind.HOLIDAY: "public holiday",
}


class DayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One day of the plan, in the school's own time."""

    day: date
    kind: DayKind
    hours: tuple[tuple[datetime, datetime], ...]
    starts: tuple[datetime, ...]


def schedule(
    explain: Annotated[bool, typer.Option("--explain", help="Say how the plan comes about.")] = False,
    days: Annotated[int, typer.Option(min=1, max=400, help="How many days to show.")] = 7,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print when this device measures throughput, day by day."""
    folder = folder_of(settle(state_dir, config).config)
    try:
        assignment = load_assignment(folder)
    except AssignmentError as error:
        fail(str(error), ExitCode.FAILED)
    if assignment is None:
        fail("there is no assignment yet: enrol first, or let `mektep-agent run` fetch it", ExitCode.FAILED)
    now = SystemTime().now()
    holidays: frozenset[date] = frozenset()
    if assignment.holiday_country is not None:
        try:
            table = load_table(folder, assignment.holiday_country, now.year) or asyncio.run(
                compute_table(folder, assignment.holiday_country, now.year)
            )
            holidays = frozenset(table.dates)
        except (HolidayError, OSError) as error:
            say(f"mektep-agent: public holidays are left out: {error}")
    calendar = SchoolCalendar(assignment, holidays)
    plans = [_plan(assignment, calendar, calendar.local_date(now) + timedelta(days=number)) for number in range(days)]
    if as_json:
        sys.stdout.write(msgspec.json.encode({"days": plans}).decode() + "\n")
        return
    if explain:
        sys.stdout.write(_explanation(assignment))
    for plan in plans:
        starts = " ".join(start.strftime("%H:%M:%S") for start in plan.starts)
        sys.stdout.write(f"{plan.day:%Y-%m-%d %a}  {starts or _WORDS[plan.kind]}\n")


def _plan(assignment: Assignment, calendar: SchoolCalendar, day: date) -> DayPlan:
    school_day = calendar.school_day(day)
    if school_day is None:
        return DayPlan(day=day, kind=calendar.kind(day), hours=(), starts=())
    zone = calendar.zone
    slots = slots_of(school_day, assignment.throughput_slots_count, assignment.device_id)
    return DayPlan(
        day=day,
        kind=calendar.kind(day),
        hours=tuple((span.begin.astimezone(zone), span.end.astimezone(zone)) for span in school_day.spans),
        starts=tuple(slot.start.astimezone(zone) for slot in slots),
    )


def _explanation(assignment: Assignment) -> str:
    return (
        f"Assignment version {assignment.version}, time zone {assignment.time_zone}, public holidays of "
        f"{assignment.holiday_country or 'no country'}.\n"
        f"Each school day is cut into {assignment.throughput_slots_count} equal parts, with one test in each, at a "
        "time drawn from the device and the date: the same device has the same plan, no two devices have the same.\n"
        "A computer that comes up after that time draws anew from what is left of the part; a part that it was off for "
        "is reported as skipped, and not made up for.\n"
        f"In school hours round trips are timed every {assignment.latency_interval_s:g} s, the path every "
        f"{assignment.path_interval_s:g} s, learning platforms every {assignment.platform_interval_s:g} s. "
        "Once a day there is a test some minutes after the start, which takes no part's place.\n"
    )
