"""Questions to the file of recent readings: those of days that no closed file has, and late ones of days that one has.

Every question is asked with `through`: up to which position of the journal each closed day's file has the readings of
that day. Pieces up to there may still be in the tables, and are passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple, cast

import apsw
import msgspec

from mektep_collector.journal.correction import from_us, to_us
from mektep_collector.journal.entry import Accepted
from mektep_collector.store.embedded.manifest import Manifest, number_of
from mektep_collector.store.embedded.pieces import DAY_US, Content
from mektep_collector.store.embedded.schema import KIND_OF, KINDS
from mektep_collector.store.planned import AUDITED, PLANS
from mektep_collector.store.run import OK, Membership, Run, member_of
from mektep_collector.store.store import AuditTrace, Period
from mektep_wire import EngineName, Metric, Origin, unpack
from mektep_wire.columns import Coded

Through = Mapping[int, int]
"""By the day's number: the position up to which a closed file has that day's readings."""

# Day by day (IN), so that one school's pieces are sought, and those of all others on these days are not walked over.
_SCHOOL_PIECES = """
WITH RECURSIVE wanted (day) AS (SELECT ?1 UNION ALL SELECT day + 1 FROM wanted WHERE day < ?2)
SELECT day, position, device_id, content FROM piece JOIN device USING (device)
WHERE day IN (SELECT day FROM wanted) AND kind = ?3 AND school = (SELECT school FROM school WHERE school_id = ?4)
"""
_PIECES = """
SELECT school, day, position, device_id, content FROM piece JOIN device USING (device)
WHERE day BETWEEN ? AND ? AND kind = ?
"""
_PACKED = """
SELECT day, through_position, content FROM school_day
WHERE school = (SELECT school FROM school WHERE school_id = ?) AND day BETWEEN ? AND ?
"""
_AUDITS = """
SELECT day, position, device_id, content, school_id, kind FROM piece
JOIN device USING (device) JOIN school USING (school)
WHERE audit_count > 0 AND day BETWEEN ? AND ?
"""
# School by school (CROSS JOIN keeps that order), so that one of them costs the same however many others there are.
_LATEST = """
SELECT school_id, device_id, content FROM school CROSS JOIN latest USING (school) JOIN device USING (device)
ORDER BY school_id, kind
"""
_LATEST_OF = """
SELECT school_id, device_id, content FROM school CROSS JOIN latest USING (school) JOIN device USING (device)
WHERE school_id IN (SELECT value FROM json_each(?)) ORDER BY school_id, kind
"""
_WHOLE: Final = msgspec.json.Decoder(Content)


class _SlimSeries(msgspec.Struct, gc=False):
    at: list[int]
    values: list[float]


class _Kind(msgspec.Struct, gc=False):
    kind: str


class _SlimCause(msgspec.Struct, gc=False):
    failure: _Kind | None = None
    skip: str | None = None


class _SlimRest(msgspec.Struct, gc=False):
    at: int
    fields: _SlimCause


class _SlimColumns(msgspec.Struct, gc=False):
    engine: Coded[str]
    outcome: Coded[str]
    origin: Coded[str] | None = None
    metrics: dict[str, _SlimSeries] = {}
    rest: list[_SlimRest] = []


class _SlimContent(msgspec.Struct, array_like=True, gc=False):
    """What series need of a `Content`; decoding passes over all else."""

    at_us: list[int]
    items: list[int]
    methods: msgspec.Raw
    columns: _SlimColumns


_SLIM: Final = msgspec.json.Decoder(_SlimContent)
_MEASURED: Final = Coded((Origin.MEASURED.value,))


class Placed(NamedTuple):
    """A reading and its place among those of the same time."""

    order: tuple[int, int, int]
    accepted: Accepted


def series_runs(
    connection: apsw.Connection, through: Through, school_id: str, metric: Metric, period: Period
) -> list[Run]:
    """Return a school's runs of the metric's series, in no order. Raises apsw.Error."""
    since_us, until_us = to_us(period.since), to_us(period.until)
    found: list[Run] = []
    for plan in PLANS[metric]:
        kind, is_member = KINDS[plan.probe, plan.direction], member_of(plan)
        bindings = (since_us // DAY_US, until_us // DAY_US, kind, school_id)
        for day, position, device_id, content in _school_pieces(connection, bindings):
            if position > through.get(day, 0):
                found += _runs(content, position, device_id, is_member, metric, since_us, until_us)
    return found


def runs_by_school(
    connection: apsw.Connection, through: Through, metric: Metric, period: Period, schools: Mapping[int, str]
) -> dict[str, list[Run]]:
    """Return the runs of the metric's series of each school in `schools`, which names their numbers; in no order.

    Raises apsw.Error.
    """
    since_us, until_us = to_us(period.since), to_us(period.until)
    found: dict[str, list[Run]] = {}
    for plan in PLANS[metric]:
        kind, is_member = KINDS[plan.probe, plan.direction], member_of(plan)
        bindings = (since_us // DAY_US, until_us // DAY_US, kind)
        for school, day, position, device_id, content in _pieces(connection, bindings):
            school_id = schools.get(school)
            if school_id is not None and position > through.get(day, 0):
                runs = _runs(content, position, device_id, is_member, metric, since_us, until_us)
                found.setdefault(school_id, []).extend(runs)
    return found


def packed_days(connection: apsw.Connection, manifest: Manifest, school_id: str, period: Period) -> dict[str, bytes]:
    """Return a school's packed days of the files in force, by the file's name. Raises apsw.Error."""
    names = {(number_of(file.day), file.through_position): file.name for file in manifest.files}
    bindings = (school_id, to_us(period.since) // DAY_US, to_us(period.until) // DAY_US)
    rows = cast(list[tuple[int, int, bytes]], connection.execute(_PACKED, bindings).fetchall())
    return {names[day, through]: content for day, through, content in rows if (day, through) in names}


def readings(
    connection: apsw.Connection, through: Through, school_id: str, period: Period, kinds: Sequence[int]
) -> list[Placed]:
    """Return a school's readings of a period, in no order. Raises apsw.Error."""
    since_us, until_us = to_us(period.since), to_us(period.until)
    found: list[Placed] = []
    for kind in kinds:
        bindings = (since_us // DAY_US, until_us // DAY_US, kind, school_id)
        for day, position, device_id, content in _school_pieces(connection, bindings):
            if position > through.get(day, 0):
                found += [
                    placed
                    for placed in whole(content, position, school_id, device_id)
                    if since_us <= placed.order[0] < until_us
                ]
    return found


def latest(connection: apsw.Connection, school_ids: Sequence[str] | None) -> list[Accepted]:
    """Return each school's newest reading of each kind, by school and kind. Raises apsw.Error."""
    if school_ids is None:
        found = connection.execute(_LATEST).fetchall()
    else:
        found = connection.execute(_LATEST_OF, (msgspec.json.encode(list(school_ids)).decode(),)).fetchall()
    rows = cast(list[tuple[str, str, bytes]], found)
    return [whole(content, 0, school_id, device_id)[0].accepted for school_id, device_id, content in rows]


def audits(
    connection: apsw.Connection, through: Through, period: Period
) -> list[tuple[tuple[int, int, int], AuditTrace]]:
    """Return the good runs that state both figures, each with its place, in no order. Raises apsw.Error."""
    since_us, until_us = to_us(period.since), to_us(period.until)
    found = []
    rows = cast(
        list[tuple[int, int, str, bytes, str, int]],
        connection.execute(_AUDITS, (since_us // DAY_US, until_us // DAY_US)).fetchall(),
    )
    for day, position, device_id, content, school_id, kind in rows:
        _, direction = KIND_OF[kind]
        if direction is None or position <= through.get(day, 0):
            continue
        shortened, full_length = AUDITED[direction]
        full = {
            run.item: run.value
            for run in _runs(content, position, device_id, _has_value, full_length, since_us, until_us)
        }
        for run in _runs(content, position, device_id, _has_value, shortened, since_us, until_us):
            full_length_mbps = full.get(run.item)
            if run.value is None or full_length_mbps is None:
                continue
            audit = AuditTrace(
                at=from_us(run.at_us),
                school_id=school_id,
                device_id=device_id,
                direction=direction,
                engine=EngineName(run.engine),
                shortened_mbps=run.value,
                full_length_mbps=full_length_mbps,
            )
            found.append((run[:3], audit))
    return found


def whole(content: bytes, position: int, school_id: str, device_id: str) -> list[Placed]:
    """Return all readings of a piece. Raises msgspec.DecodeError where it is none."""
    piece = _WHOLE.decode(content)
    return [
        Placed(
            (at_us, position, item),
            Accepted(reading=reading, device_id=device_id, school_id=school_id, at=from_us(at_us), time_method=method),
        )
        for at_us, item, method, reading in zip(
            piece.at_us, piece.items, spread(piece.methods, len(piece.at_us)), unpack(piece.columns), strict=True
        )
    ]


def spread(column: Coded[Any], count: int) -> Iterator[Any]:
    """Return the cells of a column, one a reading."""
    if column.at is None:
        return repeat(column.table[0], count)
    return map(column.table.__getitem__, column.at)


def _school_pieces(
    connection: apsw.Connection, bindings: tuple[int, int, int, str]
) -> list[tuple[int, int, str, bytes]]:
    return cast(list[tuple[int, int, str, bytes]], connection.execute(_SCHOOL_PIECES, bindings).fetchall())


def _pieces(connection: apsw.Connection, bindings: tuple[int, int, int]) -> Iterator[tuple[int, int, int, str, bytes]]:
    return cast(Iterator[tuple[int, int, int, str, bytes]], connection.execute(_PIECES, bindings))


def _runs(
    content: bytes, position: int, device_id: str, is_member: Membership, metric: Metric, since_us: int, until_us: int
) -> list[Run]:
    piece = _SLIM.decode(content)
    columns = piece.columns
    count = len(piece.at_us)
    series = columns.metrics.get(metric.value)
    values = dict(zip(series.at, series.values, strict=True)) if series is not None else {}
    is_good = columns.outcome.at is None and columns.outcome.table[0] == OK
    if is_good and not values:
        return []
    causes = {rest.at: rest.fields for rest in columns.rest} if not is_good else {}
    found = []
    for at, (at_us, item, engine, outcome, origin) in enumerate(
        zip(
            piece.at_us,
            piece.items,
            spread(columns.engine, count),
            spread(columns.outcome, count),
            spread(columns.origin or _MEASURED, count),
            strict=True,
        )
    ):
        value = values.get(at) if outcome == OK else None
        if since_us <= at_us < until_us and is_member(engine, outcome, value):
            run = Run(at_us, position, item, device_id, engine, outcome, origin, _cause(causes.get(at)), value)
            found.append(run)
    return found


def _has_value(_engine: str, _outcome: str, value: float | None) -> bool:
    return value is not None


def _cause(told: _SlimCause | None) -> str | None:
    if told is None:
        return None
    return told.failure.kind if told.failure is not None else told.skip
