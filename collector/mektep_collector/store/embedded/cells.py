"""The table of regions or providers over closed days and recent runs, in memory that does not grow with the readings.

Where the runs are some millions at most, they are read from the files once and held, fourteen bytes each. Where they
are more, the files are read again for each step.

Order statistics of tens of millions of values are found without holding them: one pass counts the values of each cell
in some thousand narrow ranges, a second takes only the values of the few ranges that the wanted ranks fall into. The
result is exact.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, overload

import msgspec
import pyarrow as pa

from mektep_collector.sla.percentile import percentile_of_sorted
from mektep_collector.store.embedded.country import COUNTS, Ask, Country, recent_table
from mektep_collector.store.embedded.manifest import Manifest
from mektep_collector.store.one_engine import is_chosen_by_name
from mektep_collector.store.run import Run
from mektep_collector.store.store import Period
from mektep_collector.store.table import CellRow, Placement, cell_row
from mektep_wire import EngineName, Metric, Outcome

_RATIOS: Final = (0.5, 0.1, 0.9)
# Ascends with the value, so that ranges are in the order of their values: some 1,300 of them between 0 and 10^9.
_RANGE: Final = "CAST(sign(value) * floor(ln(1 + abs(value)) * 64) AS INTEGER)"

_HELD_COUNT: Final = 12_000_000
_ENGINES: Final = ", ".join(f"'{engine.value}'" for engine in EngineName)
_OUTCOMES: Final = ", ".join(f"'{outcome.value}'" for outcome in Outcome)
_HOLD: Final = f"""CREATE TEMP TABLE held AS
SELECT number, CAST(engine AS ENUM ({_ENGINES})) AS engine, CAST(outcome AS ENUM ({_OUTCOMES})) AS outcome, value
FROM ({{runs}}) AS run JOIN place USING (school_id)"""  # noqa: S608 (words of our own)


class _OfEngine(msgspec.Struct):
    """Counts of one school's runs by one engine."""

    ok_count: int
    failed_count: int
    skipped_count: int
    enough_count: int


_BySchool = Mapping[str, Mapping[EngineName, _OfEngine]]


def table(
    country: Country,
    manifest: Manifest,
    metric: Metric,
    period: Period,
    recent: Mapping[str, Sequence[Run]],
    places: Mapping[str, Placement],
) -> list[CellRow]:
    """Return a row for each cell with at least one run, by cell. Raises StoreError."""
    runs = country.runs(manifest, metric, period)
    tables = {"recent": recent_table(recent), "place": _places(places)}
    with country.asking() as ask:
        if country.expected_count(manifest, metric, period) <= _HELD_COUNT:
            ask(_HOLD.format(runs=runs), tables)
            runs = "SELECT school_id, engine, outcome, value FROM held JOIN place USING (number)"
        by_school = _by_school(ask, runs, tables)
        mains = {school_id: _main(found, metric) for school_id, found in by_school.items()}
        tables["chosen"] = _chosen(mains, places)
        spreads = _spreads(ask, runs, tables)
    cells: dict[str, list[str]] = {}
    for school_id in by_school:
        cells.setdefault(places[school_id].cell, []).append(school_id)
    rows = []
    for cell, members in sorted(cells.items()):
        counted = [_counted(by_school[each], mains[each], metric) for each in members]
        judged = [count for each, count in zip(members, counted, strict=True) if places[each].enough is not None]
        rows.append(
            cell_row(
                cell,
                sum(each.ok_count + each.failed_count + each.skipped_count > 0 for each in counted),
                {
                    Outcome.OK: sum(each.ok_count for each in counted),
                    Outcome.FAILED: sum(each.failed_count for each in counted),
                    Outcome.SKIPPED: sum(each.skipped_count for each in counted),
                },
                sum(each.ok_count for each in judged),
                sum(each.enough_count for each in judged),
                spreads.get(cell),
            )
        )
    return rows


def _by_school(ask: Ask, runs: str, tables: Mapping[str, Any]) -> _BySchool:
    rows = ask(
        f"""SELECT school_id, engine, {COUNTS}, count(*) FILTER (value >= enough) AS enough_count
        FROM ({runs}) AS run JOIN place USING (school_id) GROUP BY school_id, engine""",  # noqa: S608 (words of our own)
        tables,
    )
    found: dict[str, dict[EngineName, _OfEngine]] = {}
    for school_id, engine, *counts in rows:
        found.setdefault(school_id, {})[EngineName(engine)] = _OfEngine(*counts)
    return found


def _main(found: Mapping[EngineName, _OfEngine], metric: Metric) -> EngineName | None:
    """Return the engine that `of_one_engine` chooses; None where no run has a value and no engine is the chosen one."""
    order = {engine: place for place, engine in enumerate(EngineName)}
    if any(each.ok_count for each in found.values()):
        return min(found, key=lambda engine: (-found[engine].ok_count, order[engine]))
    if not is_chosen_by_name(metric):
        return None
    return min(found, key=lambda engine: (-found[engine].failed_count - found[engine].skipped_count, order[engine]))


def _counted(found: Mapping[EngineName, _OfEngine], main: EngineName | None, metric: Metric) -> _OfEngine:
    """Return the counts of the school's series: values of the main engine, failures of it or of all."""
    failing = [found[main]] if main is not None and is_chosen_by_name(metric) else list(found.values())
    return _OfEngine(
        found[main].ok_count if main is not None else 0,
        sum(each.failed_count for each in failing),
        sum(each.skipped_count for each in failing),
        found[main].enough_count if main is not None else 0,
    )


def _spreads(ask: Ask, runs: str, tables: Mapping[str, Any]) -> dict[str, tuple[float, float, float]]:
    """Return median, p10 and p90 of each cell's values."""
    values = f"SELECT cell, value, {_RANGE} AS range FROM ({runs}) AS run JOIN chosen USING (school_id, engine)"  # noqa: S608
    counted: dict[str, list[tuple[int, int]]] = {}
    for cell, range_, count in ask(
        f"""SELECT cell, range, count(*) FROM ({values}) WHERE value IS NOT NULL
        GROUP BY cell, range ORDER BY cell, range""",  # noqa: S608 (words of our own)
        tables,
    ):
        counted.setdefault(cell, []).append((range_, count))
    asked = [(cell, range_) for cell, counts in counted.items() for range_ in _ranges(counts)]
    wanted = pa.table(
        {
            "cell": pa.array([cell for cell, _ in asked], pa.string()),
            "range": pa.array([range_ for _, range_ in asked], pa.int32()),
        }
    )
    held = {
        (cell, range_): ordered
        for cell, range_, ordered in ask(
            f"""SELECT cell, range, list_sort(list(value)) FROM ({values}) SEMI JOIN wanted USING (cell, range)
            WHERE value IS NOT NULL GROUP BY cell, range""",  # noqa: S608 (words of our own)
            {**tables, "wanted": wanted},
        )
    }
    return {cell: _of_ranks(cell, counts, held) for cell, counts in counted.items()}


def _ranges(counts: Sequence[tuple[int, int]]) -> set[int]:
    """Return the ranges that hold the values on both sides of each wanted rank."""
    ends = list(accumulate(count for _, count in counts))
    wanted = set()
    for ratio in _RATIOS:
        below = int(ratio * (ends[-1] - 1))
        for rank in (below, min(below + 1, ends[-1] - 1)):
            wanted.add(counts[bisect_right(ends, rank)][0])
    return wanted


def _of_ranks(
    cell: str, counts: Sequence[tuple[int, int]], held: Mapping[tuple[str, int], Sequence[float]]
) -> tuple[float, float, float]:
    ranked = _Ranked(cell, counts, held)
    median, p10, p90 = (percentile_of_sorted(ranked, ratio) for ratio in _RATIOS)
    return median, p10, p90


class _Ranked(Sequence[float]):
    """A cell's values in order, of which only those in the held ranges are at hand."""

    def __init__(
        self, cell: str, counts: Sequence[tuple[int, int]], held: Mapping[tuple[str, int], Sequence[float]]
    ) -> None:
        self._ranges = [held.get((cell, range_), ()) for range_, _ in counts]
        self._ends = list(accumulate(count for _, count in counts))

    def __len__(self) -> int:
        return self._ends[-1]

    @overload
    def __getitem__(self, rank: int) -> float: ...
    @overload
    def __getitem__(self, rank: slice) -> Sequence[float]: ...
    def __getitem__(self, rank: int | slice) -> float | Sequence[float]:
        if isinstance(rank, slice):
            return [self[each] for each in range(*rank.indices(len(self)))]
        number = bisect_right(self._ends, rank)
        return self._ranges[number][rank - (self._ends[number - 1] if number else 0)]


def _places(places: Mapping[str, Placement]) -> Any:  # noqa: ANN401 (pyarrow has no types)
    return pa.table(
        {
            "school_id": pa.array(list(places), pa.string()),
            "number": pa.array(range(len(places)), pa.int32()),
            "enough": pa.array([place.enough for place in places.values()], pa.float64()),
        }
    )


def _chosen(mains: Mapping[str, EngineName | None], places: Mapping[str, Placement]) -> Any:  # noqa: ANN401
    chosen = {school_id: engine for school_id, engine in mains.items() if engine is not None}
    return pa.table(
        {
            "school_id": pa.array(list(chosen), pa.string()),
            "engine": pa.array([engine.value for engine in chosen.values()], pa.string()),
            "cell": pa.array([places[school_id].cell for school_id in chosen], pa.string()),
        }
    )
