"""The watch over the line: beats in school hours, and what they tell of outages, kept on disk through power cuts."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random

import msgspec

from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.outbox.parcel import OutboxFullError
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.probes.outage.cause import cause_of
from mektep_agent.probes.outage.course import (
    OFF_CAUSES,
    Course,
    Finished,
    Rhythm,
    State,
    answered,
    caused,
    missed,
    wait_s,
)
from mektep_agent.probes.outage.heart import Heart
from mektep_agent.probes.outage.moment import Moment
from mektep_agent.probes.outage.record import can_be_told, reading_of
from mektep_agent.probes.outage.restart import MARK_S, Life, Memory, after_restart
from mektep_wire import OutageCause, Reading, Seen

_LOG = logging.getLogger(__name__)
VIGIL_NOTE = "outage"
_LONGEST_REST_S = 3_600.0
_LEARN_EVERY_S = 3_600.0
_MOST_LOOKS_COUNT = 5
_MOST_WAITING_COUNT = 100
_SLEPT_BEATS_COUNT = 2


class Vigil:
    """Watches while `school_wait_s` returns 0, and for as long as an outage is open.

    `line` is held by whoever measures: a test of ours fills the line, and a beat beside it would prove nothing.
    `is_exhausted` says that the month's data is used up: then nothing is sent that is not needed.
    """

    def __init__(
        self,
        outbox: ThreadedOutbox,
        time: KnownTime,
        random: Random,
        line: asyncio.Lock,
        rhythm: Rhythm,
        *,
        school_wait_s: Callable[[], float],
        school_s: Callable[[datetime, datetime], float],
        is_exhausted: Callable[[], bool],
        spend: Callable[[int], None],
        on_kept: Callable[[tuple[Reading, ...]], None],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._outbox = outbox
        self._time = time
        self._random = random
        self._line = line
        self._rhythm = rhythm
        self._school_wait_s = school_wait_s
        self._school_s = school_s
        self._is_exhausted = is_exhausted
        self._spend = spend
        self._on_kept = on_kept
        self._sleep = sleep
        self.heart: Heart | None = None
        self._course = Course()
        self._waiting: tuple[Finished, ...] = ()
        self._life = Life.RESTING
        self._marked_s: float | None = None
        self._learnt_s: float | None = None
        self._learnt_of: Heart | None = None
        self._looks_count = 0
        self._named: Moment | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is an outage now."""
        return self._course.is_open

    async def run(self) -> None:
        """Watch until cancelled; what is open then is kept, and taken up at the next start."""
        await self._recall()
        try:
            # A network that comes up with the computer is not an outage that ends.
            await self._sleep(self._rhythm.period_s / 2)
            while True:
                await self._sleep(await self._step())
        finally:
            if self.heart is not None:
                await self._rest()

    async def _recall(self) -> None:
        """Take up what an earlier run left; what does not read is begun anew."""
        note = await self._outbox.note(VIGIL_NOTE)
        if note is None:
            return
        try:
            memory = msgspec.json.decode(note, type=Memory)
        except msgspec.DecodeError as error:
            _LOG.warning("outage_memory_lost", extra={"detail": str(error)})
            return
        at = self._now()
        self._course, done = after_restart(memory, at)
        self._waiting = (*memory.waiting, *done)
        if self._course.is_open:
            _LOG.warning("outage_goes_on", extra=_told(self._course))
        # The mark of life on disk is about to be replaced: what it told must be there before.
        await self._remember(Life.WATCHING if self._course.is_open else Life.RESTING)

    async def _step(self) -> float:
        """Beat once if it is time to, and return the seconds to the next step."""
        heart, rest_s = self.heart, self._school_wait_s()
        if heart is None:
            return self._rhythm.period_s
        if self._is_exhausted() or (rest_s > 0 and self._course.state is State.UP):
            if self._life is Life.WATCHING:
                await self._rest()
            await self._tell()
            return min(max(rest_s, self._rhythm.period_s), _LONGEST_REST_S)
        planned_s = wait_s(self._course, self._rhythm)
        last = self._course.last_up if self._course.state is State.UP else None
        if last is not None and self._life is Life.WATCHING and last.boot_id == self._time.boot_id:
            unseen_s = self._time.source.monotonic_s() - last.monotonic_s
            if unseen_s > planned_s + _SLEPT_BEATS_COUNT * self._rhythm.period_s:
                # The computer slept, and its network has to wake as well.
                self._course = Course()
                return self._rhythm.period_s / 2
        await self._beat(heart)
        await self._tell()
        await self._mark_if_due()
        return wait_s(self._course, self._rhythm)

    async def _beat(self, heart: Heart) -> None:
        before = self._course
        if before.is_open:
            at = self._now()
            beat = await heart.heartbeat.beat(self._rhythm.timeout_s, thorough=True)
        else:
            async with self._line:
                at = self._now()
                beat = await heart.heartbeat.beat(self._rhythm.timeout_s, thorough=before.state is State.DOUBTED)
        self._spend(beat.spent_bytes)
        if beat.is_answered:
            if beat.names is Seen.ANSWERED:
                self._named = at
            self._course, ended = answered(before, at, self._rhythm)
        else:
            last_up = self._named if beat.names is Seen.SILENT else None
            self._course, ended = missed(before, at, self._rhythm, last_up)
        if ended is not None:
            self._waiting = (*self._waiting, ended)[-_MOST_WAITING_COUNT:]
        if not beat.is_answered and self._course.state is State.DOWN:
            await self._look(heart)
        elif beat.is_answered and self._course.state is State.UP:
            await self._learn(heart)
        if self._course.is_open is not before.is_open or ended is not None:
            await self._remember(Life.WATCHING)
            if ended is not None:
                _LOG.warning("outage_ended", extra={"cause": ended.cause, "boots_count": ended.boots_count})
            if self._course.is_open:
                _LOG.warning("outage_began", extra=_told(self._course))

    async def _look(self, heart: Heart) -> None:
        """Find the cause, and again while it is not found."""
        if self._course.cause in {*OFF_CAUSES} or self._looks_count >= _MOST_LOOKS_COUNT:
            return
        if self._course.cause not in {None, OutageCause.UNKNOWN}:
            return
        self._looks_count += 1
        looks = await heart.locator.look(self._rhythm.timeout_s)
        self._course = caused(self._course, cause_of(looks))
        _LOG.info("outage_looked_at", extra=msgspec.to_builtins(looks) | {"cause": self._course.cause})

    async def _learn(self, heart: Heart) -> None:
        self._looks_count = 0
        now_s = self._time.source.monotonic_s()
        is_fresh = self._learnt_s is not None and now_s - self._learnt_s < _LEARN_EVERY_S
        if heart is not self._learnt_of or not is_fresh:
            self._learnt_of, self._learnt_s = heart, now_s
            await heart.locator.learn(self._rhythm.timeout_s)
            _LOG.info("line_watched", extra={"target": heart.target})

    async def _tell(self) -> None:
        """Keep the readings of outages that are over and whose time is known."""
        now = self._now()
        told = [one for one in self._waiting if can_be_told(one, now)]
        if not told:
            return
        target = self.heart.target if self.heart is not None else ""
        readings = [reading_of(one, now, self._time.clock(), target, self._random, self._school_s) for one in told]
        before = self._waiting
        self._waiting = tuple(one for one in before if one not in told)
        try:
            kept = await self._outbox.put(readings, (), {VIGIL_NOTE: self._memory(self._life)})
        except OutboxFullError as error:
            self._waiting = before
            _LOG.error("outages_not_kept", extra={"outages_count": len(told), "detail": str(error)})
            return
        for one, reading in zip(told, kept, strict=True):
            _LOG.info(
                "outage_recorded",
                extra={"cause": one.cause, "duration_s": round(reading.duration_s, 3), "boots_count": one.boots_count},
            )
        self._on_kept(kept)

    async def _mark_if_due(self) -> None:
        now_s = self._time.source.monotonic_s()
        if self._life is not Life.WATCHING or self._marked_s is None or now_s - self._marked_s >= MARK_S:
            await self._remember(Life.WATCHING)

    async def _rest(self) -> None:
        await self._remember(Life.RESTING)

    async def _remember(self, life: Life) -> None:
        """Write the mark of life, and all that the next start must know."""
        self._life, self._marked_s = life, self._time.source.monotonic_s()
        await self._outbox.keep_note(VIGIL_NOTE, self._memory(life))

    def _memory(self, life: Life) -> bytes:
        return msgspec.json.encode(Memory(life=life, alive=self._now(), course=self._course, waiting=self._waiting))

    def _now(self) -> Moment:
        source, is_compared = self._time.source, self._time.is_compared
        at = source.now()
        return Moment(
            at=at,
            monotonic_s=source.monotonic_s(),
            boot_id=self._time.boot_id,
            offset_s=(self._time.now() - at).total_seconds() if is_compared else None,
        )


def _told(course: Course) -> dict[str, object]:
    begin = course.begin
    return {"cause": course.cause, "began_at": begin.at.isoformat() if begin is not None else None}
