"""Batches cut into pieces of one kind and one day (UTC), column by column: pure.

A piece stays as it travelled, in the JSON of the wire's columns. Cutting costs a microsecond a reading; rows of their
own, or objects, cost ten times that.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from mektep_collector.journal.by_column import AcceptedByColumn
from mektep_collector.journal.correction import to_us
from mektep_collector.journal.entry import Accepted, TimeMethod
from mektep_collector.store.embedded.schema import KINDS
from mektep_collector.store.planned import AUDITED
from mektep_wire import Columns, Reading, decode, encode, pack, select, unpack
from mektep_wire.columns import MAX_BATCH_READINGS, Coded, Rest, Series

DAY_US: Final = 86_400_000_000
"""A day of UTC in microseconds; a day's number is the count of them since 1970."""

_FULL_LENGTH = frozenset(full_length for _, full_length in AUDITED.values())
_APART: Final = frozenset({"metrics", "rest"})
_PLAIN: Final = tuple(name for name in Columns.__struct_fields__ if name not in _APART)
_SERIES: Final = Series.__struct_fields__
# What a rest may say beside the columns without any answer of the store but the whole reading depending on it.
_TOLD_APART: Final = frozenset(
    {
        "failure",
        "skip",
        "streams_count",
        "loaded_rtt_engine",
        "outage",
        "diagnosis",
        "conditions",
        "clock",
        "started_at",
    }
)
_QUARANTINE: Final = (0, 0)
_QUARANTINED = TimeMethod.QUARANTINED

_Picked = Callable[[Any], Any]


class Content(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Readings of one piece: reading i of `columns` is the entry's `items[i]`-th and was made at `at_us[i]`."""

    at_us: Sequence[int]
    items: Sequence[int]
    methods: Coded[TimeMethod]
    columns: Columns


class Piece(NamedTuple):
    """What a batch brought of one kind on one day; of the quarantine where `kind` is 0."""

    day: int
    kind: int
    content: Content

    @property
    def audit_count(self) -> int:
        """Return how many runs of the piece state a full-length figure."""
        metrics = self.content.columns.metrics
        return sum(len(metrics[metric].at) for metric in _FULL_LENGTH if metric in metrics)


class Share(NamedTuple):
    """Readings of one entry that are one device's, and their places in the entry."""

    batch: AcceptedByColumn
    items: Sequence[int]


def shares(accepted: Sequence[Accepted]) -> list[Share]:
    """Return an entry's readings by column: one share for each school and device, or some, none larger than a batch."""
    if isinstance(accepted, AcceptedByColumn):
        return [Share(accepted, list(range(len(accepted))))]
    by_sender: dict[tuple[str, str], list[int]] = {}
    for item, each in enumerate(accepted):
        by_sender.setdefault((each.school_id, each.device_id), []).append(item)
    parts = [
        (sender, items[first : first + MAX_BATCH_READINGS])
        for sender, items in by_sender.items()
        for first in range(0, len(items), MAX_BATCH_READINGS)
    ]
    return [
        Share(
            AcceptedByColumn(
                _packed([accepted[item].reading for item in items]),
                [to_us(accepted[item].at) for item in items],
                [accepted[item].time_method for item in items],
                device_id=device_id,
                school_id=school_id,
            ),
            items,
        )
        for (school_id, device_id), items in parts
    ]


def cut(share: Share) -> list[Piece]:
    """Return the pieces of a share. Raises KeyError for a probe with a direction that none has."""
    batch = share.batch
    columns = _regular(batch.columns)
    places = _placed(batch, columns)
    methods = _coded(batch.methods)
    if len(places) == 1:
        ((day, kind),) = places
        return [Piece(day, kind, Content(batch.times_us, share.items, methods, columns))]
    owner, new_at = _owners(places.values(), len(batch))
    metrics = _cut_metrics(columns, owner, new_at, len(places))
    rests = _cut_rest(columns, owner, new_at, len(places))
    pieces = []
    for number, ((day, kind), members) in enumerate(places.items()):
        pick = _picker(members)
        plain = {name: _picked(getattr(columns, name), pick) for name in _PLAIN}
        content = Content(
            pick(batch.times_us),
            pick(share.items),
            _picked(methods, pick),
            Columns(**plain, metrics=metrics[number], rest=rests[number]),
        )
        pieces.append(Piece(day, kind, content))
    return pieces


def only(content: Content, place: int) -> Content:
    """Return the content of one reading of a piece."""
    if len(content.at_us) == 1:
        return content
    return Content(
        (content.at_us[place],),
        (content.items[place],),
        _picked(content.methods, _picker([place])),
        select(content.columns, [place]),
    )


def _packed(readings: Sequence[Reading]) -> Columns:
    return decode(Columns, pack([encode(reading) for reading in readings]))


def _regular(columns: Columns) -> Columns:
    """Return the columns such that a rest overrides none of those that answers are read from."""
    if all(
        msgspec.json.decode(rest.fields, type=dict[str, msgspec.Raw]).keys() <= _TOLD_APART for rest in columns.rest
    ):
        return columns
    return _packed(unpack(columns))


def _placed(batch: AcceptedByColumn, columns: Columns) -> dict[tuple[int, int], list[int]]:
    """Return which readings are of each day and kind."""
    count = len(batch)
    probes = columns.probe
    directions = columns.direction or Coded((None,))
    kinds = [[KINDS.get((probe, direction)) for direction in directions.table] for probe in probes.table]
    places: dict[tuple[int, int], list[int]] = {}
    for at, (at_us, method, probe, direction) in enumerate(
        zip(
            batch.times_us,
            batch.methods,
            probes.at if probes.at is not None else repeat(0, count),
            directions.at if directions.at is not None else repeat(0, count),
            strict=True,
        )
    ):
        kind = kinds[probe][direction]
        if kind is None:
            raise KeyError((probes.table[probe], directions.table[direction]))
        key = _QUARANTINE if method is _QUARANTINED else (at_us // DAY_US, kind)
        found = places.get(key)
        if found is None:
            places[key] = [at]
        else:
            found.append(at)
    return places


def _owners(groups: Iterable[Sequence[int]], count: int) -> tuple[list[int], list[int]]:
    """Return of each reading the number of its piece and its place there."""
    owner, new_at = [0] * count, [0] * count
    for number, members in enumerate(groups):
        for place, at in enumerate(members):
            owner[at] = number
            new_at[at] = place
    return owner, new_at


def _cut_metrics(columns: Columns, owner: Sequence[int], new_at: Sequence[int], count: int) -> list[dict[Any, Series]]:
    cut: list[dict[Any, Series]] = [{} for _ in range(count)]
    for metric, series in columns.metrics.items():
        owners = [owner[at] for at in series.at]
        places = [new_at[at] for at in series.at]
        distinct = set(owners)
        if len(distinct) == 1:
            cut[owners[0]][metric] = Series(
                at=places,
                values=series.values,
                counts=series.counts,
                lows=series.lows,
                highs=series.highs,
                confidence_ratio=series.confidence_ratio,
            )
            continue
        members: dict[int, list[int]] = {number: [] for number in distinct}
        for k, number in enumerate(owners):
            members[number].append(k)
        for number, kept in members.items():
            pick = _picker(kept)
            cells = {name: _picked(getattr(series, name), pick) for name in _SERIES}
            cells["at"] = pick(places)
            cut[number][metric] = Series(**cells)
    return cut


def _cut_rest(columns: Columns, owner: Sequence[int], new_at: Sequence[int], count: int) -> list[list[Rest]]:
    cut: list[list[Rest]] = [[] for _ in range(count)]
    for rest in columns.rest:
        cut[owner[rest.at]].append(Rest(new_at[rest.at], rest.fields))
    return cut


def _picker(places: Sequence[int]) -> _Picked:
    if len(places) > 1:
        return itemgetter(*places)
    place = places[0]
    return lambda column: (column[place],)


def _picked(column: Any, pick: _Picked) -> Any:  # noqa: ANN401 (a column of any type)
    if column is None:
        return None
    if not isinstance(column, Coded):
        return pick(column)
    if column.at is None:
        return column
    places = pick(column.at)
    first = places[0]
    if places.count(first) == len(places):
        return Coded((column.table[first],))
    return Coded(column.table, places)


def _coded(methods: Sequence[TimeMethod]) -> Coded[TimeMethod]:
    first = methods[0]
    if all(method is first for method in methods):
        return Coded((first,))
    table = list(dict.fromkeys(methods))
    return Coded(table, [table.index(method) for method in methods])
