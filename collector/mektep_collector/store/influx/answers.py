"""Rows of InfluxDB as the store's protocol tells them: pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mektep_collector.journal.correction import from_us
from mektep_collector.journal.entry import Accepted, TimeMethod
from mektep_collector.store.influx.points import (
    CAME,
    DEVICE,
    ENGINE,
    METHOD,
    READING,
    SCHOOL,
    at_us,
)
from mektep_collector.store.influx.server import Rows
from mektep_collector.store.influx.text import text_of_tag
from mektep_collector.store.planned import AUDITED, Plan
from mektep_collector.store.run import OK, Run, member_of
from mektep_collector.store.store import AuditTrace
from mektep_wire import Direction, EngineName, Reading, decode

TIME = "time"


class Placed(NamedTuple):
    """An answer with its place in the order of time and arrival."""

    at_us: int
    came: int


def school_of(rows: Rows) -> str:
    """Return the school of rows that were grouped by it."""
    return text_of_tag(rows.tags[SCHOOL])


def accepted(rows: Rows) -> Iterator[tuple[Placed, Accepted]]:
    """Yield whole readings of one school."""
    school_id = school_of(rows)
    for row in _by_name(rows):
        made_us = at_us(row[TIME])
        yield (
            Placed(made_us, row[CAME]),
            Accepted(
                reading=decode(Reading, row[READING].encode()),
                device_id=text_of_tag(row[DEVICE]),
                school_id=school_id,
                at=from_us(made_us),
                time_method=TimeMethod(row[METHOD]),
            ),
        )


def runs(plan: Plan, rows: Rows) -> Iterator[Run]:
    """Yield the runs that are points of the metric's series, from the columns that `questions.runs` asks for."""
    is_member = member_of(plan)
    for point_ns, came, device, engine, outcome, origin, cause, measured in rows.values:
        value = measured if outcome == OK else None  # what a failed run measured before it failed is no value
        if is_member(engine, outcome, value):
            yield Run(
                at_us=at_us(point_ns),
                position=came,
                item=0,
                device_id=text_of_tag(device),
                engine=engine,
                outcome=outcome,
                origin=origin,
                cause=cause,
                value=None if value is None else float(value),
            )


def audits(direction: Direction, rows: Rows) -> Iterator[tuple[Placed, AuditTrace]]:
    """Yield the audits of a direction."""
    shortened, full_length = AUDITED[direction]
    for row in _by_name(rows):
        made_us = at_us(row[TIME])
        yield (
            Placed(made_us, row[CAME]),
            AuditTrace(
                at=from_us(made_us),
                school_id=school_of(rows),
                device_id=text_of_tag(row[DEVICE]),
                direction=direction,
                engine=EngineName(row[ENGINE]),
                shortened_mbps=float(row[shortened.value]),
                full_length_mbps=float(row[full_length.value]),
            ),
        )


def _by_name(rows: Rows) -> Iterable[Mapping[str, Any]]:
    return (dict(zip(rows.columns, values, strict=True)) for values in rows.values)
