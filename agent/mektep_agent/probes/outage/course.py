"""From beats to outages, with hysteresis at both ends: pure.

A beat that is missed raises a doubt, which quick beats confirm or clear. An outage begins with the first missed beat,
and is over once the line has stayed up for a whole period: a line that flaps makes one outage, not hundreds.
"""

from enum import StrEnum

import msgspec

from mektep_agent.probes.outage.moment import Moment, elapsed_s
from mektep_wire import OutageCause

MISSES_COUNT = 3
"""Beats missed in a row that make an outage, or interrupt a return."""
_QUICK_BEATS_COUNT = 30
_AFTER_POWER_BEATS_COUNT = 15
_UNWATCHED_BEATS_COUNT = 3
OFF_CAUSES = frozenset({OutageCause.POWER, OutageCause.AGENT_OFF})


class Rhythm(msgspec.Struct, frozen=True):
    """How far beats are apart; everything else is a part of that."""

    period_s: float = 60.0

    @property
    def doubt_s(self) -> float:
        """Between beats while a missed one is in doubt."""
        return self.period_s / 12

    @property
    def down_s(self) -> float:
        """Between beats while the line is down, at first."""
        return self.period_s / 3

    @property
    def timeout_s(self) -> float:
        """How long an answer is waited for: five times the way to a satellite and back."""
        return min(3.0, self.period_s / 4)


class State(StrEnum):
    """Where the course stands."""

    UP = "up"
    DOUBTED = "doubted"
    DOWN = "down"
    RETURNING = "returning"


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """One outage that is over."""

    cause: OutageCause
    begin: Moment
    end: Moment
    begin_uncertainty_s: float
    end_uncertainty_s: float
    returns_count: int
    boots_count: int


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """All that is remembered between two beats. `begin` is set but in `UP`, `back` in `RETURNING` alone.

    `booted` is when the agent came up, in an outage of which the computer was off; `cause` None is still to be found.
    """

    state: State = State.UP
    last_up: Moment | None = None
    begin: Moment | None = None
    begin_uncertainty_s: float = 0.0
    last_down: Moment | None = None
    back: Moment | None = None
    end_uncertainty_s: float = 0.0
    booted: Moment | None = None
    cause: OutageCause | None = None
    misses_count: int = 0
    down_beats_count: int = 0
    returns_count: int = 0
    boots_count: int = 1

    @property
    def is_open(self) -> bool:
        """Whether there is an outage."""
        return self.state in {State.DOWN, State.RETURNING}


def wait_s(course: Course, rhythm: Rhythm) -> float:
    """Return the seconds to the next beat."""
    if course.state is State.DOUBTED or (course.state is State.RETURNING and course.misses_count):
        return rhythm.doubt_s
    if course.state is State.DOWN:
        return rhythm.down_s if course.down_beats_count < _QUICK_BEATS_COUNT else rhythm.period_s
    return rhythm.down_s if course.state is State.RETURNING else rhythm.period_s


def answered(course: Course, at: Moment, rhythm: Rhythm) -> tuple[Course, Finished | None]:
    """Return the course after a beat sent at `at` was answered, and the outage that it ended."""
    if course.state is State.RETURNING and course.back is not None:
        if elapsed_s(course.back, at, at) < rhythm.period_s:
            return msgspec.structs.replace(course, misses_count=0), None
        return Course(last_up=at), finished(course, at)
    if course.state is State.DOWN:
        returning = _returning(course, at, rhythm)
        return returning, None
    return Course(last_up=at), None


def missed(course: Course, at: Moment, rhythm: Rhythm, last_up: Moment | None = None) -> tuple[Course, Finished | None]:
    """Return the course after a beat sent at `at` got no answer, and the outage that this tells from the next.

    `last_up` is when what is missed was last seen to work, where that is not the last beat: names are asked for rarely.
    """
    misses_count = course.misses_count + 1
    replace = msgspec.structs.replace
    if course.state is State.UP:
        last_up = last_up or course.last_up
        unseen_s = elapsed_s(last_up, at, at) if last_up is not None else 0.0
        return replace(
            course, state=State.DOUBTED, begin=at, begin_uncertainty_s=max(0.0, unseen_s), misses_count=1, last_down=at
        ), None
    if course.state is State.DOUBTED:
        state = State.DOWN if misses_count >= MISSES_COUNT else State.DOUBTED
        return replace(course, state=state, misses_count=misses_count, last_down=at), None
    if course.state is State.RETURNING:
        if misses_count < MISSES_COUNT:
            return replace(course, misses_count=misses_count), None
        returns_count = course.returns_count + (course.cause not in OFF_CAUSES)
        return replace(
            course, state=State.DOWN, misses_count=misses_count, last_down=at, back=None, returns_count=returns_count
        ), None
    course = replace(course, misses_count=misses_count, last_down=at, down_beats_count=course.down_beats_count + 1)
    return _told_from_power(course, at, rhythm)


def caused(course: Course, cause: OutageCause) -> Course:
    """Return the course with the cause that was found."""
    return msgspec.structs.replace(course, cause=cause)


def finished(course: Course, at: Moment) -> Finished | None:
    """Return the outage that a returning course ended, as known at `at`."""
    if course.begin is None or course.back is None:
        return None
    return Finished(
        cause=course.cause or OutageCause.UNKNOWN,
        begin=course.begin,
        end=course.back,
        begin_uncertainty_s=course.begin_uncertainty_s,
        end_uncertainty_s=course.end_uncertainty_s,
        returns_count=course.returns_count,
        boots_count=course.boots_count,
    )


def _returning(course: Course, at: Moment, rhythm: Rhythm) -> Course:
    """Return the course at the first answer. What nobody watched is not claimed: the end is where it was last down."""
    last_down = course.last_down or at
    unseen_s = max(0.0, elapsed_s(last_down, at, at))
    was_watched = unseen_s <= _UNWATCHED_BEATS_COUNT * rhythm.period_s or course.cause in OFF_CAUSES
    return msgspec.structs.replace(
        course,
        state=State.RETURNING,
        back=at if was_watched else last_down,
        end_uncertainty_s=unseen_s,
        misses_count=0,
    )


def _told_from_power(course: Course, at: Moment, rhythm: Rhythm) -> tuple[Course, Finished | None]:
    """Part a line that stays down long after a power cut from the cut: routers take minutes to come up, not more."""
    if course.cause not in OFF_CAUSES or course.booted is None:
        return course, None
    if elapsed_s(course.booted, at, at) < _AFTER_POWER_BEATS_COUNT * rhythm.period_s:
        return course, None
    cut = finished(msgspec.structs.replace(course, back=course.booted), at)
    return Course(
        state=State.DOWN,
        begin=course.booted,
        last_down=at,
        misses_count=course.misses_count,
        down_beats_count=course.down_beats_count,
    ), cut
