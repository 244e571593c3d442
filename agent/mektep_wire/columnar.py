"""From readings to columns and back: pure. `pack` is the agent's, `unpack` and `rows` are the collector's.

`pack` does not judge: a field that this version does not know, or a value that no collector will take, goes with the
others and is judged where the reading arrives.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec

from mektep_wire.column_check import check_shape, holds
from mektep_wire.columns import MAX_BATCH_READINGS, Coded, Columns, Rest, Series
from mektep_wire.decode import WireError, decode
from mektep_wire.reading import Access, Aware, Clock, ClockStatus, Conditions, Interval, Origin, Power, Reading, Vpn

_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MAX_US: Final = 2**53
_LISTED: Final[Mapping[str, Any]] = {
    "seq": None, "id": None, "started_monotonic_s": None, "duration_s": None, "bytes_sent": 0, "bytes_received": 0,
}  # fmt: skip
_CODED: Final[Mapping[str, Any]] = {
    "epoch": None, "boot_id": None, "probe": None, "engine": None, "engine_version": None, "target": None,
    "trigger": None, "outcome": None, "direction": None, "method": None, "slot": None, "stop_reason": None,
    "origin": Origin.MEASURED,
}  # fmt: skip
_REQUIRED: Final = frozenset({
    "seq", "id", "started_monotonic_s", "duration_s", "epoch", "boot_id", "probe", "engine", "engine_version", "target",
    "trigger", "outcome",
})  # fmt: skip
_FLAT: Final = (*_LISTED.items(), *_CODED.items())
_NESTED_CODED: Final[Mapping[str, Mapping[str, Any]]] = {
    "clock": {"status": ClockStatus.UNKNOWN},
    "conditions": {"access": Access.UNKNOWN, "power": Power.UNKNOWN, "vpn": Vpn.UNKNOWN},
}
_NESTED_LISTED: Final = {"clock": ("offset_s", "compared_s"), "conditions": ("cross_traffic_mbps", "cpu_ratio")}
_BY_PLACE: Final = frozenset({"metrics", "rest"})
_INTERVAL: Final = frozenset({"low", "high", "confidence_ratio"})
_EXTRAS: Final = ("counts", "lows", "highs", "confidence_ratio")
_ENCODE: Final = msgspec.json.Encoder().encode

_Object = dict[str, Any]
_Place = Annotated[int, msgspec.Meta(ge=0)]


class _LooseCoded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    table: list[Any]
    at: list[_Place] | None = None


class _LooseSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    at: list[_Place]
    values: list[Any]
    counts: list[Any] | None = None
    lows: list[Any] | None = None
    highs: list[Any] | None = None
    confidence_ratio: _LooseCoded | None = None


def _loose_type(name: str) -> Any:  # noqa: ANN401 (a type)
    if name == "metrics":
        return dict[str, _LooseSeries]
    if name == "rest":
        return list[Rest]
    is_coded = name in _CODED or any(
        name == f"{holder}_{field}" for holder in _NESTED_CODED for field in _NESTED_CODED[holder]
    )
    return _LooseCoded if is_coded else list[Any]


_LooseColumns = msgspec.defstruct(
    "_LooseColumns",
    [
        (field.name, _loose_type(field.name)) if field.required else (field.name, _loose_type(field.name) | None, None)
        for field in msgspec.structs.fields(Columns)
    ],
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
)


def pack(payloads: Sequence[bytes | msgspec.Raw]) -> msgspec.Raw:
    """Return the JSON of `Columns` that hold these readings, each given as JSON, in their order."""
    objects = [_object(payload) for payload in payloads]
    rests: list[_Object] = [{} for _ in objects]
    columns: _Object = {"started_us": [_take_started(*pair) for pair in zip(objects, rests, strict=True)]}
    for name, default in _LISTED.items():
        _add(columns, name, [each.pop(name, default) for each in objects], default, is_coded=False)
    for name, default in _CODED.items():
        _add(columns, name, [each.pop(name, default) for each in objects], default, is_coded=True)
    for holder, coded in _NESTED_CODED.items():
        listed = _NESTED_LISTED[holder]
        nested = [_take_nested(holder, {*coded, *listed}, *pair) for pair in zip(objects, rests, strict=True)]
        for field, default in coded.items():
            cells = [each.get(field, default) for each in nested]
            _add(columns, f"{holder}_{field}", cells, default, is_coded=True)
        for field in listed:
            _add(columns, f"{holder}_{field}", [each.get(field) for each in nested], None, is_coded=False)
    columns["metrics"] = _series(objects, rests)
    for each, rest in zip(objects, rests, strict=True):
        rest.update(each)
    columns["rest"] = [{"at": at, "fields": rest} for at, rest in enumerate(rests) if rest]
    return msgspec.Raw(_ENCODE({name: column for name, column in columns.items() if column}))


def unpack(columns: Columns) -> list[Reading]:
    """Return the readings in `columns`, which fit together.

    Raises ValueError or msgspec.ValidationError where one of them is not good.
    """
    count = len(columns.seq)
    lists: dict[str, Sequence[Any]] = {name: _whole(getattr(columns, name), count, default) for name, default in _FLAT}
    lists["started_at"] = [_started_at(us) for us in columns.started_us]
    lists["clock"] = [Clock(**each) for each in _nested(columns, "clock", count)]
    lists["conditions"] = [Conditions(**each) for each in _nested(columns, "conditions", count)]
    lists["values"], lists["sample_counts"], lists["intervals"] = _by_reading(columns.metrics, count)
    rests = {rest.at: rest.fields for rest in columns.rest}
    readings: list[Reading] = []
    for at, row in enumerate(zip(*lists.values(), strict=True)):
        fields = dict(zip(lists, row, strict=True))
        if fields["intervals"]:
            fields["intervals"] = {metric: Interval(**each) for metric, each in fields["intervals"].items()}
        if at in rests:
            readings.append(msgspec.json.decode(_ENCODE(fields | _object(rests[at])), type=Reading))
        else:
            readings.append(Reading(**fields))
    return readings


def are_good(columns: Columns) -> bool:
    """Tell whether the columns fit together and every reading in them keeps its promises; `rows` helps to say which."""
    try:
        check_shape(columns)
        if columns.rest:
            unpack(select(columns, [rest.at for rest in columns.rest]))
    except (ValueError, msgspec.ValidationError):
        return False
    return holds(columns)


def rows(columns: msgspec.Raw) -> list[bytes]:
    """Return each reading in the JSON of columns as the JSON of a `Reading`, good or bad, to be judged by itself.

    Raises WireError, by the column's name, where the columns do not fit together.
    """
    try:
        loose: Any = decode(_LooseColumns, columns)
    except WireError as error:
        raise WireError(f"$.readings{error.field.removeprefix('$')}", error.reason) from None
    if not 1 <= len(loose.seq) <= MAX_BATCH_READINGS:
        raise WireError("$.readings.seq", f"a batch holds 1 to {MAX_BATCH_READINGS} readings, not {len(loose.seq)}")
    check_shape(loose)
    return [_ENCODE(each) for each in _objects(loose)]


def _objects(columns: Any) -> list[_Object]:  # noqa: ANN401 (`Columns`, or the same with anything in its cells)
    """Return the readings as objects; the columns fit together."""
    count = len(columns.seq)
    lists: dict[str, Sequence[Any]] = {name: _whole(getattr(columns, name), count, default) for name, default in _FLAT}
    lists["started_at"] = [_started_at(us) for us in columns.started_us]
    for holder in _NESTED_CODED:
        lists[holder] = _nested(columns, holder, count)
    lists["values"], lists["sample_counts"], lists["intervals"] = _by_reading(columns.metrics or {}, count)
    objects = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    for rest in columns.rest or ():
        objects[rest.at].update(_object(rest.fields))
    return objects


def _nested(columns: Any, holder: str, count: int) -> list[_Object]:  # noqa: ANN401 (as `_objects` takes)
    fields = {**_NESTED_CODED[holder], **dict.fromkeys(_NESTED_LISTED[holder])}
    cells = [_whole(getattr(columns, f"{holder}_{name}"), count, default) for name, default in fields.items()]
    return [dict(zip(fields, row, strict=True)) for row in zip(*cells, strict=True)]


def select(columns: Columns, places: Sequence[int]) -> Columns:
    """Return the readings at `places`, which ascend."""
    new_places = {at: new_at for new_at, at in enumerate(places)}
    plain = {
        name: _picked(getattr(columns, name), places) for name in columns.__struct_fields__ if name not in _BY_PLACE
    }
    metrics = {}
    for metric, series in columns.metrics.items():
        kept = [k for k, at in enumerate(series.at) if at in new_places]
        if kept:
            cells = {name: _picked(getattr(series, name), kept) for name in series.__struct_fields__}
            metrics[metric] = Series(**cells | {"at": [new_places[series.at[k]] for k in kept]})
    rest = [Rest(new_places[each.at], each.fields) for each in columns.rest if each.at in new_places]
    return Columns(**plain, metrics=metrics, rest=rest)


def _picked(column: Any, places: Sequence[int]) -> Any:  # noqa: ANN401 (a column of any type)
    if column is None:
        return None
    if isinstance(column, Coded):
        return column if column.at is None else Coded(column.table, [column.at[at] for at in places])
    return [column[at] for at in places]


def _whole(column: Any, count: int, default: Any) -> Sequence[Any]:  # noqa: ANN401 (a column of any type)
    if column is None:
        return [default] * count
    if isinstance(column, Coded | _LooseCoded):
        table: Sequence[Any] = column.table
        return [table[0]] * count if column.at is None else [table[at] for at in column.at]
    whole: Sequence[Any] = column
    return whole


def _by_reading(metrics: Mapping[Any, Any], count: int) -> tuple[list[_Object], list[_Object], list[_Object]]:
    """Return the values, counts and intervals of each reading."""
    values: list[_Object] = [{} for _ in range(count)]
    counts: list[_Object] = [{} for _ in range(count)]
    intervals: list[_Object] = [{} for _ in range(count)]
    for metric, series in metrics.items():
        some = len(series.at)
        columns = (series.values, series.counts, series.lows, series.highs, series.confidence_ratio)
        for at, value, number, low, high, confidence in zip(
            series.at, *(_whole(column, some, None) for column in columns), strict=True
        ):
            values[at][metric] = value
            if number is not None:
                counts[at][metric] = number
            if not (low is None and high is None and confidence is None):
                intervals[at][metric] = {"low": low, "high": high, "confidence_ratio": confidence}
    return values, counts, intervals


def _started_at(us: Any) -> Any:  # noqa: ANN401 (what is no number stays, to be refused by its field)
    return _UNIX_EPOCH + timedelta(microseconds=us) if isinstance(us, int) and abs(us) <= _MAX_US else us


def _object(payload: bytes | msgspec.Raw) -> _Object:
    """Return a JSON object; what is none becomes one that no collector takes, and says so."""
    try:
        found = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {"unreadable": str(error)[:200]}
    return found if isinstance(found, dict) else {"unreadable": "not an object"}


def _take_started(fields: _Object, rest: _Object) -> int:
    started_at = fields.pop("started_at", None)
    try:
        us = (msgspec.convert(started_at, Aware) - _UNIX_EPOCH) // _MICROSECOND
    except (msgspec.ValidationError, OverflowError):
        us = _MAX_US + 1
    if abs(us) <= _MAX_US:
        return us
    rest["started_at"] = started_at
    return 0


def _take_nested(holder: str, names: AbstractSet[str], fields: _Object, rest: _Object) -> _Object:
    """Return the object of this name if its columns can say all of it; else it goes to the rest as it is."""
    found = fields.pop(holder, {})
    if isinstance(found, dict) and found.keys() <= names:
        return found
    rest[holder] = found
    return {}


def _add(columns: _Object, name: str, cells: list[Any], default: Any, *, is_coded: bool) -> None:  # noqa: ANN401
    """Add a column, unless it holds nothing but the default and may be left out."""
    if name in _REQUIRED or any(cell != default for cell in cells):
        columns[name] = _coded(cells) if is_coded else cells


def _coded(cells: Sequence[Any]) -> _Object:
    places: dict[bytes | str, int] = {}
    table: list[Any] = []
    at: list[int] = []
    for cell in cells:
        key = cell if isinstance(cell, str) else _ENCODE(cell)
        place = places.setdefault(key, len(table))
        if place == len(table):
            table.append(cell)
        at.append(place)
    return {"table": table} if len(table) == 1 else {"table": table, "at": at}


def _series(objects: Sequence[_Object], rests: Sequence[_Object]) -> dict[str, _Object]:
    series: dict[str, _Object] = {}
    for at, (fields, rest) in enumerate(zip(objects, rests, strict=True)):
        taken = {name: fields.pop(name, {}) for name in ("values", "sample_counts", "intervals")}
        if not _is_regular(**taken):
            rest.update(taken)
            continue
        for metric, value in taken["values"].items():
            one = series.setdefault(metric, {name: [] for name in ("at", "values", *_EXTRAS)})
            one["at"].append(at)
            one["values"].append(value)
            one["counts"].append(taken["sample_counts"].get(metric))
            interval = taken["intervals"].get(metric, {})
            for name, field in (("lows", "low"), ("highs", "high"), ("confidence_ratio", "confidence_ratio")):
                one[name].append(interval.get(field))
    for one in series.values():
        for name in _EXTRAS:
            if all(cell is None for cell in one[name]):
                del one[name]
        if "confidence_ratio" in one:
            one["confidence_ratio"] = _coded(one["confidence_ratio"])
    return series


def _is_regular(values: Any, sample_counts: Any, intervals: Any) -> bool:  # noqa: ANN401 (whatever JSON holds)
    if not all(isinstance(each, dict) for each in (values, sample_counts, intervals)):
        return False
    shaped = all(isinstance(each, dict) and each.keys() == _INTERVAL for each in intervals.values())
    return shaped and sample_counts.keys() <= values.keys() and intervals.keys() <= values.keys()
