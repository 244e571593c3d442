"""What the types of `Columns` cannot state: that the columns fit together, and that each reading holds its promises.

The promises are those of `Reading`. Checked by column they cost a tenth; where one is broken, the readings are looked
at one by one, and the fault is named there.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain, compress
from operator import attrgetter, le, lt
from typing import Any, Final, get_args, get_origin

import msgspec

from mektep_wire.columns import MAX_BATCH_READINGS, Coded, Columns, Series
from mektep_wire.decode import WireError
from mektep_wire.identifier import is_identifier
from mektep_wire.metric import METRICS, Metric
from mektep_wire.reading import MAX_METRICS, ClockStatus, Outcome, ProbeName

_UUIDS_7: Final = re.compile(r"(?:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})*")
_BOUNDS: Final = {metric: (facts.low, facts.high) for metric, facts in METRICS.items()}
_OK, _THROUGHPUT, _COMPARED = Outcome.OK, ProbeName.THROUGHPUT, ClockStatus.COMPARED
_FIRST: Final = (0,) * MAX_BATCH_READINGS
_CODED: Final = tuple(
    field.name
    for field in msgspec.structs.fields(Columns)
    if any(get_origin(each) is Coded for each in (field.type, *get_args(field.type)))
)
_LISTED: Final = tuple(name for name in Columns.__struct_fields__ if name not in {*_CODED, "metrics", "rest"})
_LISTED_OF_SERIES: Final = ("values", "counts", "lows", "highs")
_all_coded = attrgetter(*_CODED)
_all_listed = attrgetter(*_LISTED)
_all_listed_of_series = attrgetter(*_LISTED_OF_SERIES)


def check_shape(columns: Any) -> None:  # noqa: ANN401 (`Columns`, or the same with anything in its cells)
    """Return if the columns fit together; raises WireError with the column's name else."""
    count = len(columns.seq)
    _check_lists("$.readings", _LISTED, _all_listed(columns), count)
    for name, coded in zip(_CODED, _all_coded(columns), strict=True):
        if coded is not None:
            _check_coded("$.readings", name, coded, count)
    for metric, series in (columns.metrics or {}).items():
        whole = f"$.readings.metrics.{metric}"
        _check_ascent(whole, series.at, count)
        _check_lists(whole, _LISTED_OF_SERIES, _all_listed_of_series(series), len(series.at))
        if series.confidence_ratio is not None:
            _check_coded(whole, "confidence_ratio", series.confidence_ratio, len(series.at))
    if columns.rest:
        _check_ascent("$.readings.rest", [rest.at for rest in columns.rest], count)


def holds(columns: Columns) -> bool:
    """Tell whether every reading without a rest keeps the promises of `Reading`; the columns fit together.

    A reading with a rest is to be looked at by itself.
    """
    if not _UUIDS_7.fullmatch("".join(columns.id)):
        return False
    if not all(map(is_identifier, (*columns.epoch.table, *columns.boot_id.table))):
        return False
    if not all(_is_plausible(*each) for each in columns.metrics.items()):
        return False
    if len(columns.metrics) > MAX_METRICS:
        counts = Counter(chain.from_iterable(series.at for series in columns.metrics.values()))
        if max(counts.values()) > MAX_METRICS:
            return False
    return _is_consistent(columns) and _are_clocks_whole(columns)


def _check_lists(whole: str, names: Sequence[str], lists: Sequence[Any], count: int) -> None:
    for name, cells in zip(names, lists, strict=True):
        if cells is not None and len(cells) != count:
            raise _of_another_length(whole, name, len(cells), count)


def _check_coded(whole: str, name: str, coded: Any, count: int) -> None:  # noqa: ANN401 (a coded column of any type)
    cells, table_count = coded.at, len(coded.table)
    if cells is None:
        if table_count != 1:
            raise WireError(
                f"{whole}.{name}",
                f"it has no `at`, but {table_count} entries in its table instead of one"
                if table_count
                else "its table is empty",
            )
        return
    if len(cells) != count:
        raise _of_another_length(whole, name, len(cells), count)
    if not table_count:
        raise WireError(f"{whole}.{name}", "its table is empty")
    if cells and max(cells) >= table_count:
        raise WireError(f"{whole}.{name}", f"`at` holds {max(cells)}, but the table has {table_count} entries")


def _of_another_length(whole: str, name: str, found_count: int, count: int) -> WireError:
    like = "`seq`" if whole == "$.readings" else "`at`"
    return WireError(f"{whole}.{name}", f"it has {found_count} entries, but {like} has {count}")


def _check_ascent(path: str, places: Sequence[int], count: int) -> None:
    if places and not places[-1] < count:
        raise WireError(path, f"`at` holds {places[-1]}, but there are {count} readings")
    if not all(map(lt, places, places[1:])):
        raise WireError(path, "`at` does not ascend")


def _is_plausible(metric: Metric, series: Series) -> bool:
    low, high = _BOUNDS[metric]
    if not (low <= min(series.values) and max(series.values) <= high):
        return False
    # Any: whether a None is among them is what is looked at.
    lows: Any = series.lows
    highs: Any = series.highs
    confidence_ratio = series.confidence_ratio
    if lows is None or highs is None or confidence_ratio is None:
        return lows is None and highs is None and confidence_ratio is None
    if None not in confidence_ratio.table and None not in lows and None not in highs:
        return all(map(le, lows, highs))
    known = [confidence is not None for confidence in _cells(confidence_ratio, len(lows))]
    return all([cell is not None for cell in column] == known for column in (lows, highs)) and all(
        map(le, compress(lows, known), compress(highs, known))
    )


def _is_consistent(columns: Columns) -> bool:
    """Tell whether all are `ok`, as readings without failure and skip are, and have a direction exactly if they may."""
    count = len(columns.seq)
    kinds = zip(
        *(_places(column, count) for column in (columns.outcome, columns.probe, columns.direction)), strict=True
    )
    if columns.rest:
        apart = {rest.at for rest in columns.rest}
        found = {kind for at, kind in enumerate(kinds) if at not in apart}
    else:
        found = set(kinds)
    directions = (None,) if columns.direction is None else columns.direction.table
    return all(
        columns.outcome.table[outcome] is _OK
        and (directions[direction] is not None) is (columns.probe.table[probe] is _THROUGHPUT)
        for outcome, probe, direction in found
    )


def _are_clocks_whole(columns: Columns) -> bool:
    """Tell whether offset and age are known exactly where the clock was compared."""
    status, offsets, ages = columns.clock_status, columns.clock_offset_s, columns.clock_compared_s
    if status is None or offsets is None or ages is None:
        return offsets is None and ages is None and (status is None or _COMPARED not in status.table)
    if status.at is None and status.table[0] is _COMPARED:
        return None not in offsets and None not in ages
    compared = [each is _COMPARED for each in _cells(status, len(offsets))]
    return all([cell is not None for cell in column] == compared for column in (offsets, ages))


def _places(column: Any, count: int) -> Sequence[int]:  # noqa: ANN401 (a coded column of any type, or None)
    return _FIRST[:count] if column is None or column.at is None else column.at


def _cells(column: Any, count: int) -> Sequence[Any]:  # noqa: ANN401 (a coded column of any type)
    return [column.table[0]] * count if column.at is None else [column.table[at] for at in column.at]
