"""The questions that the store asks, in InfluxQL: pure."""

from collections.abc import Sequence
from datetime import datetime

from mektep_collector.journal.correction import to_us
from mektep_collector.store.influx.points import (
    CAME,
    CAUSE,
    DEVICE,
    DIRECTION,
    ENGINE,
    METHOD,
    ORIGIN,
    OUTCOME,
    PROBE,
    READING,
    SCHOOL,
    WHOLE,
    time_ns,
)
from mektep_collector.store.influx.text import is_one_of, named, quoted
from mektep_collector.store.planned import AUDITED, Plan
from mektep_collector.store.store import Period
from mektep_wire import Direction, Metric, ProbeName

SCHOOLS_A_QUESTION = 200
"""So many schools are named in one question; a longer list is asked for in several."""


def readings(probe: ProbeName | None, period: Period, school_id: str) -> str:
    """Ask for whole readings of a school, of all probes when None."""
    of_probe = f" AND {named(PROBE)} = {quoted(probe.value)}" if probe is not None else ""
    return (
        f"SELECT {_fields(READING, METHOD, CAME, DEVICE)} FROM {named(WHOLE)} "
        f"WHERE {_within(period)} AND {is_one_of(SCHOOL, [school_id])}{of_probe} GROUP BY {named(SCHOOL)}"
    )


def latest(school_ids: Sequence[str] | None) -> str:
    """Ask for the newest reading of each school, probe and direction."""
    among = f" WHERE {is_one_of(SCHOOL, school_ids)}" if school_ids is not None else ""
    return (
        f"SELECT {_fields(READING, METHOD, CAME, DEVICE)} FROM {named(WHOLE)}{among} "
        f"GROUP BY {_fields(SCHOOL, PROBE, DIRECTION)} ORDER BY time DESC LIMIT 1"
    )


def runs(plan: Plan, metric: Metric, period: Period, school_ids: Sequence[str] | None) -> str:
    """Ask for the runs of a plan's kind, each with its value of the metric if it has one, school by school."""
    conditions = [_within(period)]
    if school_ids is not None:
        conditions.append(is_one_of(SCHOOL, school_ids))
    if plan.direction is not None:
        conditions.append(f"{named(DIRECTION)} = {quoted(plan.direction.value)}")
    return (
        f"SELECT {_fields(CAME, DEVICE, ENGINE, OUTCOME, ORIGIN, CAUSE, metric.value)} FROM {named(plan.probe.value)} "
        f"WHERE {' AND '.join(conditions)} GROUP BY {named(SCHOOL)}"
    )


def audits(direction: Direction, period: Period, school_ids: Sequence[str] | None) -> str:
    """Ask for the good runs of a direction that state both figures."""
    shortened, full_length = AUDITED[direction]
    conditions = [
        _within(period),
        f"{named(DIRECTION)} = {quoted(direction.value)}",
        f"{named(OUTCOME)} = 'ok'",
        f"{named(full_length.value)} >= 0",
        f"{named(shortened.value)} >= 0",
    ]
    if school_ids is not None:
        conditions.append(is_one_of(SCHOOL, school_ids))
    return (
        f"SELECT {_fields(CAME, DEVICE, ENGINE, shortened.value, full_length.value)} "
        f"FROM {named(ProbeName.THROUGHPUT.value)} WHERE {' AND '.join(conditions)} GROUP BY {named(SCHOOL)}"
    )


def _fields(*names: str) -> str:
    return ", ".join(named(name) for name in names)


def deletion(measurement: str, before: datetime) -> str:
    """Ask for the points of a measurement before a time to be deleted."""
    return f"DELETE FROM {named(measurement)} WHERE time < {time_ns(to_us(before), 0)}"


def _within(period: Period) -> str:
    """Both ends are whole microseconds, and the digits behind those never reach the next one."""
    return f"time >= {time_ns(to_us(period.since), 0)} AND time < {time_ns(to_us(period.until), 0)}"
