"""A closed day as Parquet: one row a reading, in columns that any tool reads, sorted by school and time.

The columns are those of the wire (`mektep_wire.columns`) and one for each metric, in the metric's unit. What a reading
says beyond them is JSON in `rest`; observations behind the values and their intervals are JSON too. A reading comes
back from a row as it went in.

A day that is kept in short has the columns of `RUN_NAMES` alone: what its readings came to, not how.

The version stands in the file's own metadata. A column that an older file lacks reads as null; a new version is needed
only where a column changes its meaning.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from mektep_collector.journal.correction import from_us
from mektep_collector.journal.entry import Accepted, TimeMethod
from mektep_collector.store.embedded.manifest import Kept
from mektep_collector.store.embedded.pieces import Content
from mektep_collector.store.error import StoreError
from mektep_wire import Access, ClockStatus, Columns, Metric, Origin, Power, Vpn, unpack
from mektep_wire.columns import MAX_BATCH_READINGS, Coded, Rest, Series

VERSION: Final = 1
GROUP_ROWS: Final = 32_768
"""Rows of a row group: a school's day lies within one or two, and a file's footer stays small."""
_MARK: Final = b"mektep_day"
_ENCODE = msgspec.json.Encoder().encode
_TYPES: Final = MappingProxyType({field.name: field.type for field in msgspec.structs.fields(Columns)})
_DEFAULTS: Final[Mapping[str, str | int]] = MappingProxyType(
    {
        "bytes_sent": 0,
        "bytes_received": 0,
        "origin": Origin.MEASURED,
        "clock_status": ClockStatus.UNKNOWN,
        "conditions_access": Access.UNKNOWN,
        "conditions_power": Power.UNKNOWN,
        "conditions_vpn": Vpn.UNKNOWN,
    }
)

_TEXT: Final = (
    "epoch", "boot_id", "probe", "engine", "engine_version", "target", "trigger", "outcome", "direction", "method",
    "slot", "stop_reason", "origin", "clock_status", "conditions_access", "conditions_power", "conditions_vpn",
)  # fmt: skip
_INTEGER: Final = ("seq", "bytes_sent", "bytes_received")
_NUMBER: Final = (
    "started_monotonic_s", "duration_s", "clock_offset_s", "clock_compared_s", "conditions_cross_traffic_mbps",
    "conditions_cpu_ratio",
)  # fmt: skip
_MOMENT: Final = pa.timestamp("us", tz="UTC")
_KEYS: Final = (
    ("school_id", pa.string()),
    ("at", _MOMENT),
    ("position", pa.int64()),
    ("item", pa.int32()),
    ("device_id", pa.string()),
    ("time_method", pa.string()),
    ("id", pa.binary(16)),
    ("started_at", _MOMENT),
    ("cause", pa.string()),
    ("sample_counts", pa.string()),
    ("intervals", pa.string()),
    ("rest", pa.string()),
)
SCHEMA: Final = pa.schema(
    [
        *_KEYS,
        *((name, pa.string()) for name in _TEXT),
        *((name, pa.int64()) for name in _INTEGER),
        *((name, pa.float64()) for name in _NUMBER),
        *((metric.value, pa.float64()) for metric in Metric),
    ]
)
"""The columns of a day's file."""
RUN_NAMES: Final = (
    "school_id", "at", "position", "item", "device_id", "cause", "probe", "engine", "outcome", "direction", "origin",
    *(metric.value for metric in Metric),
)  # fmt: skip
"""The columns of a day that is kept in short."""
ORDER: Final = (("school_id", "ascending"), ("at", "ascending"), ("position", "ascending"), ("item", "ascending"))
"""How its rows are sorted: by school, time, and then as they came."""

_DELTA: Final = ("at", "started_at", "position", "item", "seq", "bytes_sent", "bytes_received")
_ENCODINGS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(_DELTA, "DELTA_BINARY_PACKED")
    | dict.fromkeys(("started_monotonic_s", "duration_s", "clock_offset_s"), "BYTE_STREAM_SPLIT")
)
_NO_DICTIONARY: Final = {"id", *_ENCODINGS}


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What a day's file says of itself in its metadata."""

    version: int
    day: date
    through_position: int


class _Kind(msgspec.Struct):
    kind: str


class _Cause(msgspec.Struct):
    failure: _Kind | None = None
    skip: str | None = None


class Rows:
    """Readings gathered column by column until they are made a table."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in SCHEMA.names}
        self._count = 0
        self._counts_texts: dict[tuple[tuple[str, int], ...], str] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, content: Content, position: int, school_id: str, device_id: str) -> None:
        """Add a piece of the entry at `position`."""
        columns, count = content.columns, len(content.at_us)
        into = self._columns
        into["school_id"].extend(repeat(school_id, count))
        into["device_id"].extend(repeat(device_id, count))
        into["position"].extend(repeat(position, count))
        into["at"].extend(content.at_us)
        into["item"].extend(content.items)
        into["time_method"].extend(_cells(content.methods, count))
        into["id"].extend([bytes.fromhex(each.replace("-", "")) for each in columns.id])
        into["started_at"].extend(columns.started_us)
        for name in (*_TEXT, *_INTEGER, *_NUMBER):
            into[name].extend(_cells(getattr(columns, name), count, _DEFAULTS.get(name)))
        self._add_metrics(columns, count)
        causes: list[str | None] = [None] * count
        rests: list[str | None] = [None] * count
        for rest in columns.rest:
            causes[rest.at] = _cause(rest.fields)
            rests[rest.at] = bytes(rest.fields).decode()
        into["cause"].extend(causes)
        into["rest"].extend(rests)
        self._count += count

    def table(self) -> Any:  # noqa: ANN401 (pyarrow has no types)
        """Return all as a `pyarrow.Table` of `SCHEMA`, sorted, and begin anew."""
        for cells in self._columns.values():
            cells.extend(repeat(None, self._count - len(cells)))
        arrays = [pa.array(self._columns[field.name], field.type) for field in SCHEMA]
        self._columns = {name: [] for name in SCHEMA.names}
        self._count = 0
        return pa.Table.from_arrays(arrays, schema=SCHEMA).sort_by(list(ORDER))

    def _add_metrics(self, columns: Columns, count: int) -> None:
        counts: list[dict[str, int]] = [{} for _ in range(count)]
        intervals: list[dict[str, tuple[float | None, ...]]] = [{} for _ in range(count)]
        for metric, series in columns.metrics.items():
            cells = self._columns[metric.value]
            cells.extend(repeat(None, self._count + count - len(cells)))
            for at, value in zip(series.at, series.values, strict=True):
                cells[self._count + at] = value
            if series.counts is not None:
                for at, number in zip(series.at, series.counts, strict=True):
                    if number is not None:
                        counts[at][metric.value] = number
            if series.lows is not None and series.highs is not None and series.confidence_ratio is not None:
                confidences = _cells(series.confidence_ratio, len(series.at))
                for at, low, high, ratio in zip(series.at, series.lows, series.highs, confidences, strict=True):
                    if low is not None:
                        intervals[at][metric.value] = (low, high, ratio)
        self._columns["sample_counts"].extend([self._counts_text(each) if each else None for each in counts])
        self._columns["intervals"].extend([_ENCODE(each).decode() if each else None for each in intervals])

    def _counts_text(self, counts: dict[str, int]) -> str:
        key = tuple(counts.items())
        text = self._counts_texts.get(key)
        if text is None:
            text = self._counts_texts[key] = _ENCODE(counts).decode()
        return text


class DayWriter:
    """Writes one day's file, row group by row group; who opens it closes it, and only then the file is whole."""

    def __init__(self, path: Path, mark: Mark, kept: Kept) -> None:
        self._names = SCHEMA.names if kept is Kept.READINGS else list(RUN_NAMES)
        self._writer = pq.ParquetWriter(
            path,
            pa.schema([SCHEMA.field(name) for name in self._names]),
            compression="zstd",
            compression_level=3,
            use_dictionary=[name for name in self._names if name not in _NO_DICTIONARY],
            column_encoding={name: encoding for name, encoding in _ENCODINGS.items() if name in self._names},
            store_schema=False,
            write_page_checksum=True,
        )
        self._writer.add_key_value_metadata({_MARK: _ENCODE(mark)})

    def write(self, table: Any) -> None:  # noqa: ANN401 (pyarrow has no types)
        """Write a sorted table of `SCHEMA` as row groups. Raises OSError."""
        self._writer.write_table(table.select(self._names), row_group_size=GROUP_ROWS)

    def close(self) -> None:
        """Write the footer. Raises OSError."""
        self._writer.close()


def open_day(path: Path) -> Any:  # noqa: ANN401 (pyarrow has no types)
    """Return the `pyarrow.parquet.ParquetFile` of a day. Raises StoreError for what is none or of a newer version."""
    try:
        file = pq.ParquetFile(path)
        mark_of(file, path)
    except (OSError, pa.ArrowInvalid) as error:
        raise StoreError(
            f"the closed day {path} cannot be read: {error}; restore a backup, or set the store's directory aside, and "
            "it is made again from the journal"
        ) from error
    return file


def mark_of(file: Any, path: Path) -> Mark:  # noqa: ANN401 (pyarrow has no types)
    """Return what a day's file says of itself. Raises StoreError where it says nothing that this collector knows."""
    found = (file.metadata.metadata or {}).get(_MARK)
    if found is None:
        raise StoreError(f"{path} is no file of a closed day: its metadata does not say so")
    mark = msgspec.json.decode(found, type=Mark)
    if mark.version > VERSION:
        raise StoreError(
            f"{path} was written by a newer collector (version {mark.version}, this one knows {VERSION}); "
            "start that collector again"
        )
    return mark


def accepted_of(table: Any) -> list[Accepted]:  # noqa: ANN401 (pyarrow has no types)
    """Return the readings in a table of a day's rows, in its order. Columns that it lacks read as null."""
    found: list[Accepted] = []
    for first in range(0, table.num_rows, MAX_BATCH_READINGS):
        found += _accepted_of_some(table.slice(first, MAX_BATCH_READINGS))
    return found


def _accepted_of_some(table: Any) -> list[Accepted]:  # noqa: ANN401 (pyarrow has no types)
    cells = {name: _read(table, name) for name in SCHEMA.names}
    columns = Columns(
        id=[_uuid(each) for each in cells["id"]],
        started_us=cells["started_at"],
        **{name: _told(name, cells[name]) for name in (*_TEXT, *_INTEGER, *_NUMBER)},
        metrics=_metrics(cells),
        rest=[Rest(at, msgspec.Raw(text.encode())) for at, text in enumerate(cells["rest"]) if text is not None],
    )
    return [
        Accepted(
            reading=reading,
            device_id=device_id,
            school_id=school_id,
            at=from_us(at_us),
            time_method=TimeMethod(method),
        )
        for reading, device_id, school_id, at_us, method in zip(
            unpack(columns), cells["device_id"], cells["school_id"], cells["at"], cells["time_method"], strict=True
        )
    ]


def _read(table: Any, name: str) -> list[Any]:  # noqa: ANN401 (pyarrow has no types)
    if name not in table.schema.names:
        return [None] * int(table.num_rows)
    column = table.column(name)
    cells: list[Any] = (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
    return cells


def _cells(column: Any, count: int, default: Any = None) -> Sequence[Any]:  # noqa: ANN401 (a column of any type)
    if column is None:
        return [default] * count
    if not isinstance(column, Coded):
        cells: Sequence[Any] = column
        return cells
    table = column.table
    return [table[0]] * count if column.at is None else [table[at] for at in column.at]


def _told(name: str, cells: list[Any]) -> Any:  # noqa: ANN401 (a column of any type)
    """Return cells as the column of `Columns`; a column without any is left out."""
    distinct = list(dict.fromkeys(cells))
    if distinct == [None]:
        return None
    if name not in _TEXT:
        return cells
    places = {cell: place for place, cell in enumerate(distinct)}
    coded = {"table": distinct, "at": [places[cell] for cell in cells]} if len(distinct) > 1 else {"table": distinct}
    return msgspec.convert(coded, type=_TYPES[name])


def _metrics(cells: Mapping[str, list[Any]]) -> dict[Metric, Series]:
    counts = [msgspec.json.decode(text) if text is not None else {} for text in cells["sample_counts"]]
    intervals = [msgspec.json.decode(text) if text is not None else {} for text in cells["intervals"]]
    found = {}
    for metric in Metric:
        name = metric.value
        at = [place for place, value in enumerate(cells[name]) if value is not None]
        if at:
            told = [intervals[place].get(name, (None, None, None)) for place in at]
            found[metric] = Series(
                at=at,
                values=[cells[name][place] for place in at],
                counts=[counts[place].get(name) for place in at],
                lows=[low for low, _, _ in told],
                highs=[high for _, high, _ in told],
                confidence_ratio=Coded([ratio for _, _, ratio in told], list(range(len(at)))),
            )
    return found


def _uuid(octets: bytes) -> str:
    digits = octets.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _cause(fields: msgspec.Raw) -> str | None:
    told = msgspec.json.decode(fields, type=_Cause)
    return told.failure.kind if told.failure is not None else told.skip
