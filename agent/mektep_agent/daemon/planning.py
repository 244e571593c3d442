"""From an assignment to an agenda: the holidays of its country, its probes, and what the outbox remembers."""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.measuring import Kit
from mektep_agent.identity.last_assignment import AssignmentError, load_assignment
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.schedule.agenda import Agenda
from mektep_agent.schedule.public_holidays import HolidayError, compute_table, load_table
from mektep_wire import Assignment
from mektep_wire.school_calendar import SchoolCalendar

_LOG = logging.getLogger(__name__)
KitOf = Callable[[Assignment], Kit]


class Planning:
    """Makes agendas anew whenever the assignment, the year, or what is known of the time changes."""

    def __init__(
        self,
        folder: StateFolder,
        outbox: ThreadedOutbox,
        time: KnownTime,
        random: Random,
        *,
        enrolled_at: datetime,
        startup_delay_max_s: float,
    ) -> None:
        self._folder = folder
        self._outbox = outbox
        self._time = time
        self._enrolled_at = enrolled_at
        self._started_s = time.source.monotonic_s()
        self._up_s = self._started_s
        self._startup_delay_s = random.uniform(0.0, startup_delay_max_s)

    def load(self) -> Assignment | None:
        """Return the last good assignment; a damaged one is set aside, to be fetched again."""
        try:
            return load_assignment(self._folder)
        except AssignmentError as error:
            aside = self._folder.set_aside(self._folder.assignment, "corrupt", self._time.source.now())
            _LOG.error("assignment_set_aside", extra={"file": str(aside), "detail": str(error)})
            return None

    def woke(self) -> None:
        """The computer slept: what was missed meanwhile is not made up for at once, with all the others that wake."""
        self._up_s = self._time.source.monotonic_s()

    async def agenda(self, assignment: Assignment, kit: Kit, handed_out: frozenset[str]) -> Agenda:
        """Return the agenda as of now. `handed_out` are marks of runs that may not be in the outbox yet."""
        now, monotonic_s = self._time.now(), self._time.source.monotonic_s()
        holidays = await self._holidays(assignment, now.year)
        return Agenda(
            assignment,
            SchoolCalendar(assignment, holidays),
            kit.probes.keys(),
            up_at=now - timedelta(seconds=monotonic_s - self._up_s),
            since=self._enrolled_at,
            startup_at=now + timedelta(seconds=self._startup_delay_s - (monotonic_s - self._started_s)),
            marks=await self._outbox.marks() | handed_out,
        )

    async def _holidays(self, assignment: Assignment, year: int) -> frozenset[date]:
        country = assignment.holiday_country
        if country is None:
            return frozenset()
        table = load_table(self._folder, country, year)
        if table is None:
            try:
                table = await compute_table(self._folder, country, year)
            except (HolidayError, OSError) as error:
                _LOG.warning("holidays_unknown", extra={"country": country, "detail": str(error)})
                return frozenset()
        return frozenset(table.dates)
