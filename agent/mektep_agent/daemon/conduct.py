"""The daemon as a whole: agenda, measuring and delivering, put together and kept going until it is cancelled."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.courtesy import Courtesy
from mektep_agent.daemon.delivering import Delivering
from mektep_agent.daemon.errands import Errands
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.measuring import Measuring
from mektep_agent.daemon.planning import KitOf, Planning
from mektep_agent.daemon.supervise import keep_going, once
from mektep_agent.daemon.thrift import Thrift
from mektep_agent.daemon.vigil import Vigil
from mektep_agent.daemon.watch import PERIOD_S, Watch
from mektep_agent.link.counters import crossed
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.politeness.quiet import thresholds_of
from mektep_agent.probes.outage.course import Rhythm
from mektep_agent.schedule.agenda import Agenda
from mektep_agent.schedule.trigger import AgendaTrigger
from mektep_agent.uplink.carrier import Carriers
from mektep_agent.uplink.clock_comparison import ClockComparison
from mektep_agent.uplink.delivery import CLOCK_NOTE, Delivery
from mektep_agent.uplink.leases import Leases
from mektep_wire import Conditions, Outcome, ProbeName, Reading

_LOG = logging.getLogger(__name__)
_JOB = "agenda"
_NOTABLE_STEP_S = 60.0
_NOTHING_PLANNED = timedelta(hours=1)


class Daemon:
    """One agent of one device. Whoever makes it closes the outbox."""

    def __init__(
        self,
        folder: StateFolder,
        outbox: ThreadedOutbox,
        carriers: Carriers,
        kit_of: KitOf,
        conditions: Callable[[], Conditions],
        time: KnownTime,
        random: Random,
        thrift: Thrift,
        leases: Leases,
        *,
        enrolled_at: datetime,
        startup_delay_max_s: float,
        rhythm: Rhythm | None,
    ) -> None:
        self._outbox = outbox
        self._kit_of = kit_of
        self._time = time
        self._thrift = thrift
        self.measuring = Measuring(outbox, time, conditions, random, self._kept, crossed)
        self._courtesy = Courtesy(time, random, self.measuring.line, crossed, leases, lambda: thrift.used_bytes)
        self._vigil = (
            Vigil(
                outbox,
                time,
                random,
                self.measuring.line,
                rhythm,
                school_wait_s=self._school_wait_s,
                school_s=self._school_s,
                is_exhausted=lambda: thrift.least_send_s > 0,
                spend=thrift.spend,
                on_kept=self._kept,
            )
            if rhythm is not None
            else None
        )
        self.errands = Errands(self.measuring, thrift, self._courtesy, outbox)
        self.delivering = Delivering(
            Delivery(outbox, carriers, time.source, random, time.boot_id),
            outbox,
            time,
            random,
            on_step=self._stepped,
            on_adopted=lambda: self._replan_wanted.set(),
        )
        self._planning = Planning(
            folder, outbox, time, random, enrolled_at=enrolled_at, startup_delay_max_s=startup_delay_max_s
        )
        self._agenda: Agenda | None = None
        self._replan_wanted = asyncio.Event()
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._tasks: asyncio.TaskGroup | None = None
        self._told_asides_count = 0

    async def recall(self) -> None:
        """Take up what an earlier run of this boot knew, and say what was found damaged."""
        self._tell_set_asides()
        note = await self._outbox.note(CLOCK_NOTE)
        if note is not None:
            self._time.learn(msgspec.json.decode(note, type=ClockComparison))
        await self.errands.recall()

    async def run(self) -> None:
        """Measure and send until cancelled; what runs then is kept as interrupted."""
        await self.recall()
        await self.replan()
        self._scheduler.add_job(
            self._tick, AgendaTrigger(self._next_fire), id=_JOB, misfire_grace_time=None, coalesce=True
        )
        self._scheduler.start(paused=True)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._look_now()
                self._scheduler.resume()
                tasks.create_task(keep_going("delivering", self.delivering.run))
                tasks.create_task(keep_going("watching", self._watch, pause_s=0.0))
                tasks.create_task(keep_going("planning", self._replan_when_wanted, pause_s=0.0))
                if self._vigil is not None:
                    tasks.create_task(keep_going("vigil", self._vigil.run))
        finally:
            self._tasks = None
            self._scheduler.shutdown(wait=False)

    async def replan(self) -> None:
        """Make the agenda anew from what is known now."""
        assignment = self._planning.load()
        self.delivering.assignment = assignment
        if assignment is None:
            _LOG.warning("assignment_missing", extra={"advice": "it is fetched as soon as the collector answers"})
            return
        self.measuring.kit = self._kit_of(assignment)
        handed_out = self._agenda.marks if self._agenda is not None else frozenset()
        self._courtesy.looks = self.measuring.kit.looks
        if self._vigil is not None:
            self._vigil.heart = self.measuring.kit.heart
        self._courtesy.thresholds = thresholds_of(assignment)
        self._agenda = await self._planning.agenda(assignment, self.measuring.kit, handed_out)
        self._thrift.follow(assignment, self._agenda)

    async def _replan_when_wanted(self) -> None:
        await self._replan_wanted.wait()
        self._replan_wanted.clear()
        await self.replan()
        self._look_now()

    async def _watch(self) -> None:
        watch = Watch(self._time.source)
        planned_year = self._time.now().year
        while True:
            await asyncio.sleep(PERIOD_S)
            self._tell_set_asides()
            step_s, slept_s = watch.look()
            if step_s:
                _LOG.warning("clock_stepped", extra={"step_s": round(step_s, 3)})
            if slept_s:
                _LOG.info("computer_slept", extra={"slept_s": round(slept_s, 1)})
                self._planning.woke()
            year = self._time.now().year
            if step_s or slept_s or year != planned_year:
                planned_year = year
                self._replan_wanted.set()

    async def _tick(self) -> None:
        """Hand out what is due. It returns at once: errands run as tasks, one after the other."""
        agenda, tasks = self._agenda, self._tasks
        if agenda is None or tasks is None or self.delivering.is_revoked:
            return
        now = self._time.now()
        for errand in agenda.due(now):
            tasks.create_task(once("measuring", self.errands.run(errand)))
        if self._time.is_compared:
            missed = agenda.missed(now)
            if missed:
                tasks.create_task(once("recording", self.measuring.record_missed(missed)))

    def _tell_set_asides(self) -> None:
        """Say each damaged outbox once, whether it was found at the start or since."""
        asides = self._outbox.set_asides()
        for aside in asides[self._told_asides_count :]:
            _LOG.error("outbox_set_aside", extra={"file": aside.file, "reason": aside.reason})
        self._told_asides_count = len(asides)

    def _next_fire(self, wall_now: datetime) -> datetime:
        """Return the agenda's next moment in the wall clock's time, which is what APScheduler goes by."""
        if self._agenda is None:
            return wall_now + _NOTHING_PLANNED
        now = self._time.now()
        return wall_now + (self._agenda.next_at(now) - now)

    def _look_now(self) -> None:
        """Have the agenda looked at at once: after it was made anew, the moment that was waited for means nothing."""
        self._scheduler.modify_job(_JOB, next_run_time=self._time.source.now())

    def _stepped(self, step_s: float) -> None:
        """The known time was found or moved: marks of days that have not come were set by a wrong clock."""
        if self._agenda is not None and self._tasks is not None:
            self._look_now()
            ahead = self._agenda.drop_marks_after(self._time.now())
            if ahead:
                self._tasks.create_task(once("unmarking", self._outbox.unmark(ahead)))
        if abs(step_s) > _NOTABLE_STEP_S:
            self._replan_wanted.set()

    def _school_wait_s(self) -> float:
        """Return 0 while the line is to be watched, else the seconds until it is."""
        if self._agenda is None or self.delivering.is_revoked:
            return _NOTHING_PLANNED.total_seconds()
        return self._agenda.school_wait_s(self._time.now())

    def _school_s(self, begin: datetime, end: datetime) -> float:
        """Return how many seconds of school there are between two moments of true time."""
        return 0.0 if self._agenda is None else self._agenda.left(begin, end).school_s

    def _kept(self, readings: Sequence[Reading]) -> None:
        self.delivering.least_interval_s = self._thrift.least_send_s
        if any(
            reading.probe is ProbeName.THROUGHPUT and reading.outcome is not Outcome.SKIPPED for reading in readings
        ):
            self.delivering.nudge()
