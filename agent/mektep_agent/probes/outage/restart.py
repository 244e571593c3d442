"""What the agent's own absence means: a power cut, an agent that was off, or nothing at all. Pure."""

from enum import StrEnum

import msgspec

from mektep_agent.probes.outage.course import OFF_CAUSES, Course, Finished, State, finished
from mektep_agent.probes.outage.moment import Moment, elapsed_s
from mektep_wire import OutageCause

MARK_S = 300.0
"""How far the marks of life on disk are apart: a disk is not written to more often for them."""
_LEAST_OFF_MARKS_COUNT = 2


class Life(StrEnum):
    """What the agent was doing when it wrote its last mark."""

    WATCHING = "watching"
    RESTING = "resting"
    """Outside school hours, or about to end in order: an absence from then on means nothing."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept on disk: the last mark of life, the course, and outages whose time cannot be told yet."""

    life: Life
    alive: Moment
    course: Course = Course()
    waiting: tuple[Finished, ...] = ()


def after_restart(memory: Memory, at: Moment, mark_s: float = MARK_S) -> tuple[Course, tuple[Finished, ...]]:
    """Return the course with which an agent that comes up at `at` goes on, and the outage that had ended before.

    An outage that was open goes on, over any number of boots. Otherwise an agent that ended without order, within
    school hours, lost its power if the boot is another, and was off itself if it is not.
    """
    course = memory.course
    done: tuple[Finished, ...] = ()
    is_same_boot = memory.alive.boot_id == at.boot_id
    boots_count = course.boots_count + (not is_same_boot)
    if course.state is State.RETURNING:
        if course.cause in OFF_CAUSES:
            return _up_again(course, at, boots_count, returns_count=course.returns_count + 1), ()
        ended = finished(course, at)
        done = () if ended is None else (ended,)
    elif course.state is State.DOWN:
        if course.cause in OFF_CAUSES:
            return _up_again(course, at, boots_count, returns_count=course.returns_count), ()
        return msgspec.structs.replace(course, boots_count=boots_count, misses_count=0), ()
    if memory.life is Life.RESTING:
        return Course(), done
    if is_same_boot and elapsed_s(memory.alive, at, at) < _LEAST_OFF_MARKS_COUNT * mark_s:
        return Course(last_up=course.last_up), done
    off = Course(
        begin=memory.alive,
        begin_uncertainty_s=mark_s,
        cause=OutageCause.AGENT_OFF if is_same_boot else OutageCause.POWER,
    )
    return _up_again(off, at, 1 if is_same_boot else 2, returns_count=0), done


def _up_again(course: Course, at: Moment, boots_count: int, returns_count: int) -> Course:
    return msgspec.structs.replace(
        course,
        state=State.RETURNING,
        back=at,
        booted=at,
        last_down=at,
        end_uncertainty_s=0.0,
        misses_count=0,
        boots_count=boots_count,
        returns_count=returns_count,
    )
