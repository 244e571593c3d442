"""What one school's questions about a closed day need, in a few kilobytes a day: its runs, without what is around them.

A day's file is made for the whole country; a school's day in it lies among those of hundreds of others. So the closing
process also writes each school's runs by column into a row of their own, and a month of one school is thirty rows.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mektep_collector.store.run import OK, Membership, Run
from mektep_wire import Metric

_LEVEL: Final = 1
_TEXTS: Final = ("device_id", "probe", "direction", "engine", "outcome", "origin", "cause")
_METRICS: Final = tuple(metric.value for metric in Metric)
_WHOLE: Final = ("school_id", "at", "position", "item")


class _Texts(msgspec.Struct, array_like=True, gc=False):
    """A column of few different texts: reading i has `table[at[i]]`."""

    table: list[str | None]
    at: list[int]


class _Values(msgspec.Struct, array_like=True, gc=False):
    """One metric: reading `at[k]` has `values[k]`."""

    at: list[int]
    values: list[float]


class SchoolDay(msgspec.Struct, array_like=True, gc=False):
    """A school's runs of one day, by column, in order of time."""

    at_us: list[int]
    positions: list[int]
    items: list[int]
    device_id: _Texts
    probe: _Texts
    direction: _Texts
    engine: _Texts
    outcome: _Texts
    origin: _Texts
    cause: _Texts
    metrics: dict[str, _Values]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(SchoolDay)


def school_days(table: Any) -> Iterator[tuple[str, bytes]]:  # noqa: ANN401 (pyarrow has no types)
    """Return of a sorted table of a day's rows each school's id and packed day; no school comes twice."""
    present = [name for name in _METRICS if table.column(name).null_count < table.num_rows]
    slim = table.select([*_WHOLE, *_TEXTS, *present])
    ends = pc.run_end_encode(slim.column("school_id").combine_chunks())
    at_us = slim.column("at").cast(pa.int64()).to_pylist()
    positions, items = slim.column("position").to_pylist(), slim.column("item").to_pylist()
    texts = {name: slim.column(name).to_pylist() for name in _TEXTS}
    metrics = {name: slim.column(name).to_pylist() for name in present}
    first = 0
    for school_id, end in zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True):
        day = SchoolDay(
            at_us[first:end],
            positions[first:end],
            items[first:end],
            _coded(texts["device_id"][first:end]),
            _coded(texts["probe"][first:end]),
            _coded(texts["direction"][first:end]),
            _coded(texts["engine"][first:end]),
            _coded(texts["outcome"][first:end]),
            _coded(texts["origin"][first:end]),
            _coded(texts["cause"][first:end]),
            {name: values for name, cells in metrics.items() if (values := _present(cells[first:end])).at},
        )
        yield school_id, zlib.compress(_ENCODER.encode(day), _LEVEL)
        first = end


def runs_of(
    packed: bytes,
    metric: Metric,
    plans: Mapping[tuple[str, str | None], Membership],
    since_us: int,
    until_us: int,
) -> Iterator[Run]:
    """Return a packed day's runs of the metric's series within a period; `plans` tells by probe and direction.

    Raises msgspec.DecodeError and zlib.error for bytes that are none.
    """
    day = _DECODER.decode(zlib.decompress(packed))
    series = day.metrics.get(metric.value)
    values = dict(zip(series.at, series.values, strict=True)) if series is not None else {}
    # Of the pairs of probe and direction only few are there: each is looked up once.
    members = {
        (probe, direction): plans.get((day.probe.table[probe] or "", day.direction.table[direction]))
        for probe, direction in set(zip(day.probe.at, day.direction.at, strict=True))
    }
    if not any(members.values()):
        return
    for at, at_us in enumerate(day.at_us):
        is_member = members[day.probe.at[at], day.direction.at[at]]
        if is_member is None or not since_us <= at_us < until_us:
            continue
        engine, outcome = _text(day.engine, at), _text(day.outcome, at)
        value = values.get(at) if outcome == OK else None
        if is_member(engine, outcome, value):
            cause = day.cause.table[day.cause.at[at]]
            device_id, origin = _text(day.device_id, at), _text(day.origin, at)
            yield Run(at_us, day.positions[at], day.items[at], device_id, engine, outcome, origin, cause, value)


def _coded(cells: Sequence[str | None]) -> _Texts:
    places: dict[str | None, int] = {}
    at = [places.setdefault(cell, len(places)) for cell in cells]
    return _Texts(list(places), at)


def _present(cells: Sequence[float | None]) -> _Values:
    pairs = [(at, cell) for at, cell in enumerate(cells) if cell is not None]
    return _Values([at for at, _ in pairs], [cell for _, cell in pairs])


def _text(column: _Texts, at: int) -> str:
    return column.table[column.at[at]] or ""
