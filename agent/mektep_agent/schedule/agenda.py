"""What is due: the plan, less what was done. It waits for nothing and touches nothing; whoever drives it does.

All times are true time as well as it is known, so a wall clock that is set back runs no slot twice: what was handed out
is remembered by name, here and, through the marks, in the outbox.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

import msgspec

from mektep_agent.schedule.intervals import Interval
from mektep_agent.schedule.slots import LEAST_LEFT_S, Slot, slots_of, start_after
from mektep_wire import Assignment, ProbeName, Trigger
from mektep_wire.school_calendar import SchoolCalendar

MISSED_LOOK_BACK = timedelta(days=31)
_LATE_TICK_S = 90.0
_STRIDE = timedelta(hours=1)
_DAY = timedelta(days=1)
_LEAST_LEFT = timedelta(seconds=LEAST_LEFT_S)
_STARTUP_PATIENCE = timedelta(minutes=30)
_REMEMBERED_DAYS_COUNT = 64


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one probe that is due, and the mark that says it was done.

    It may be put off while the link is busy, up to `latest_at`; None where it may not be. `tick` tells one run at an
    interval from the next.
    """

    probe: ProbeName
    trigger: Trigger
    slot: str | None = None
    mark: str | None = None
    latest_at: datetime | None = None
    tick: int | None = None


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a time: slots that are still to be run, and seconds of school."""

    slots_count: int
    school_s: float


class Agenda:
    """The plan of one device under one assignment.

    `up_at` is when this agent came up, `since` when the device was enrolled: no slot before that was missed. `marks`
    are the marks of the outbox; `probes` what there are targets for. `startup_at` is when to run the start-up test.
    """

    def __init__(
        self,
        assignment: Assignment,
        calendar: SchoolCalendar,
        probes: Collection[ProbeName],
        *,
        up_at: datetime,
        since: datetime,
        startup_at: datetime | None,
        marks: Iterable[str],
    ) -> None:
        self._assignment = assignment
        self._calendar = calendar
        self._slots_count = assignment.throughput_slots_count if ProbeName.THROUGHPUT in probes else 0
        self._up_at = up_at
        self._startup_at = startup_at if ProbeName.THROUGHPUT in probes else None
        self._marks = set(marks)
        self._slots: dict[date, tuple[Slot, ...]] = {}
        self._judged_until = since
        self._intervals = [
            Interval(probe, interval_s, assignment.device_id)
            for probe, interval_s in (
                (ProbeName.LATENCY, assignment.latency_interval_s),
                (ProbeName.PATH, assignment.path_interval_s),
                (ProbeName.PLATFORM, assignment.platform_interval_s),
            )
            if probe in probes
        ]
        self._ticked = {interval.probe: interval.number_at(up_at) for interval in self._intervals}

    def due(self, now: datetime) -> list[Errand]:
        """Return what is to be run now, and take it as handed out."""
        errands = [*self._due_startup(now), *self._due_slots(now), *self._due_ticks(now)]
        self._marks.update(errand.mark for errand in errands if errand.mark)
        return errands

    def next_at(self, now: datetime) -> datetime:
        """Return when to ask again: the next start after `now`, at most an hour away."""
        moments = [now + _STRIDE]
        if self._startup_at is not None and self._startup_mark(self._startup_at) not in self._marks:
            moments.append(self._startup_at)
        today = self._calendar.local_date(now)
        for day in (today, today + _DAY):
            moments += [start for _, start in self._open_slots(day)]
        school_day = self._calendar.school_day(self._calendar.local_date(now + _STRIDE))
        for interval in self._intervals:
            tick = interval.next_after(now)
            if school_day is not None and tick < moments[0] and school_day.holds(tick):
                moments.append(tick)
        return min(moment for moment in moments if moment > now)

    def missed(self, now: datetime) -> list[Slot]:
        """Return the slots that are over and were not run, each once; only for a clock that is known to be right."""
        begin = max(self._judged_until, now - MISSED_LOOK_BACK)
        missed: list[Slot] = []
        day, last_day = self._calendar.local_date(begin), self._calendar.local_date(now)
        while day <= last_day:
            missed += [
                slot
                for slot in self._slots_of(day)
                if begin <= slot.begin and slot.end <= now and slot.name not in self._marks
            ]
            day += _DAY
        unfinished = [slot.begin for slot in self._slots_of(last_day) if slot.begin <= now < slot.end]
        self._judged_until = max(self._judged_until, min([now, *unfinished]))
        self._marks.update(slot.name for slot in missed)
        return missed

    def drop_marks_after(self, now: datetime) -> list[str]:
        """Forget and return the marks of days that have not come: a clock that ran ahead set them."""
        tomorrow = (self._calendar.local_date(now) + _DAY).isoformat()
        ahead = sorted(mark for mark in self._marks if _day_of(mark) >= tomorrow)
        self._marks.difference_update(ahead)
        return ahead

    @property
    def marks(self) -> frozenset[str]:
        """What was done or handed out."""
        return frozenset(self._marks)

    def left(self, now: datetime, end: datetime) -> Left:
        """Return what is left from `now` until `end`; a slot that was handed out is not left."""
        slots_count, school_s = 0, 0.0
        day, last_day = self._calendar.local_date(now), self._calendar.local_date(end)
        while day <= last_day:
            school_day = self._calendar.school_day(day)
            if school_day is not None:
                school_s += school_day.school_s_at(end) - school_day.school_s_at(now)
                slots_count += sum(
                    now < slot.end and slot.begin < end and slot.name not in self._marks for slot in self._slots_of(day)
                )
            day += _DAY
        return Left(slots_count=slots_count, school_s=school_s)

    def school_wait_s(self, now: datetime) -> float:
        """Return 0 while school is open at `now`, else the seconds until it opens, at most two days."""
        today = self._calendar.local_date(now)
        for day in (today, today + _DAY):
            school_day = self._calendar.school_day(day)
            for span in school_day.spans if school_day is not None else ():
                if now < span.end:
                    return max(0.0, (span.begin - now).total_seconds())
        return 2 * _DAY.total_seconds()

    def slots_on(self, day: date) -> tuple[Slot, ...]:
        """Return the plan for a date, whether done or not."""
        return self._slots_of(day)

    def _due_startup(self, now: datetime) -> list[Errand]:
        if self._startup_at is None or now < self._startup_at:
            return []
        mark = self._startup_mark(self._startup_at)
        self._startup_at = None
        if mark in self._marks:
            return []
        latest_at = now + _STARTUP_PATIENCE
        return [Errand(probe=ProbeName.THROUGHPUT, trigger=Trigger.STARTUP, mark=mark, latest_at=latest_at)]

    def _startup_mark(self, at: datetime) -> str:
        """One start-up test a day, however often the computer is switched on."""
        return f"startup/{self._calendar.local_date(at).isoformat()}"

    def _due_slots(self, now: datetime) -> list[Errand]:
        return [
            Errand(
                probe=ProbeName.THROUGHPUT,
                trigger=Trigger.SLOT,
                slot=slot.name,
                mark=slot.name,
                latest_at=slot.end - _LEAST_LEFT,
            )
            for slot, start in self._open_slots(self._calendar.local_date(now))
            if start <= now < slot.end
        ]

    def _due_ticks(self, now: datetime) -> list[Errand]:
        errands = []
        school_day = self._calendar.school_day(self._calendar.local_date(now))
        for interval in self._intervals:
            number = interval.number_at(now)
            if number == self._ticked[interval.probe]:
                continue
            is_next = number > self._ticked[interval.probe]
            self._ticked[interval.probe] = number
            tick = interval.moment_of(number)
            is_late = (now - tick).total_seconds() > _LATE_TICK_S
            if is_next and not is_late and school_day is not None and school_day.holds(tick):
                errands.append(Errand(probe=interval.probe, trigger=Trigger.INTERVAL, tick=number))
        return errands

    def _open_slots(self, day: date) -> list[tuple[Slot, datetime]]:
        """Return the slots of `day` that are still to be run, each with its start for who came up at `up_at`."""
        school_day = self._calendar.school_day(day)
        if school_day is None:
            return []
        open_slots = []
        for slot in self._slots_of(day):
            if slot.name not in self._marks:
                start = start_after(slot, school_day, self._up_at, self._assignment.device_id)
                if start is not None:
                    open_slots.append((slot, start))
        return open_slots

    def _slots_of(self, day: date) -> tuple[Slot, ...]:
        if day not in self._slots:
            if len(self._slots) >= _REMEMBERED_DAYS_COUNT:
                self._slots.clear()
            school_day = self._calendar.school_day(day)
            self._slots[day] = (
                slots_of(school_day, self._slots_count, self._assignment.device_id) if school_day is not None else ()
            )
        return self._slots[day]


def _day_of(mark: str) -> str:
    """Return the ISO date that a mark is of."""
    first, _, rest = mark.partition("/")
    return rest if first == "startup" else first
