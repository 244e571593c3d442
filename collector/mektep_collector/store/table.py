"""A table of cells, such as regions or providers: one metric of many schools as a few figures, with what they rest on.

Each school's runs are those of its series (`Store.series`): of one engine, quarantined ones left out. A cell's order
statistics are over all good values of its schools together.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from mektep_collector.sla.percentile import percentile_of_sorted
from mektep_collector.store.store import Period, Store, Trace
from mektep_wire import Metric, Outcome


class Placement(msgspec.Struct, frozen=True):
    """Where a school counts, and the least value, in the metric's unit, that is enough for it; None: none is known."""

    cell: str
    enough: float | None = None


class CellRow(msgspec.Struct, frozen=True, kw_only=True):
    """One cell. `schools_count` have at least one run; of the good values `judged_count` could be enough or not."""

    cell: str
    schools_count: int
    ok_count: int
    failed_count: int
    skipped_count: int
    judged_count: int
    enough_count: int
    median: float | None
    p10: float | None
    p90: float | None

    @property
    def availability_ratio(self) -> float | None:
        """Return the good runs' share of good and failed ones, None where there was neither."""
        runs_count = self.ok_count + self.failed_count
        return self.ok_count / runs_count if runs_count else None

    @property
    def enough_ratio(self) -> float | None:
        """Return the share of judged values that were enough, None where none could be judged."""
        return self.enough_count / self.judged_count if self.judged_count else None


class Tabulating(Protocol):
    """A store that makes the table itself, faster than school by school."""

    def table(self, metric: Metric, period: Period, places: Mapping[str, Placement]) -> Sequence[CellRow]:
        """Return a row for each cell with at least one run of the schools in `places`, by cell."""
        ...


def tabulate(store: Store, metric: Metric, period: Period, places: Mapping[str, Placement]) -> Sequence[CellRow]:
    """Return what `Tabulating.table` returns, from any store, school by school."""
    return tabulate_series(((school_id, store.series(school_id, metric, period)) for school_id in places), places)


def tabulate_series(found: Iterable[tuple[str, Sequence[Trace]]], places: Mapping[str, Placement]) -> Sequence[CellRow]:
    """Return a row for each cell, by cell, from the series of schools in `places`, each school once."""
    values: dict[str, list[float]] = {}
    counts: dict[str, dict[str, int]] = {}
    for school_id, traces in found:
        if not traces:
            continue
        place = places[school_id]
        good = [trace.value for trace in traces if trace.value is not None]
        tally = counts.setdefault(place.cell, dict.fromkeys(("schools", *Outcome, "judged", "enough"), 0))
        tally["schools"] += 1
        for trace in traces:
            tally[trace.outcome] += 1
        if place.enough is not None:
            tally["judged"] += len(good)
            tally["enough"] += sum(value >= place.enough for value in good)
        values.setdefault(place.cell, []).extend(good)
    return [
        cell_row(
            cell,
            tally["schools"],
            {outcome: tally[outcome] for outcome in Outcome},
            tally["judged"],
            tally["enough"],
            _spread(sorted(values[cell])),
        )
        for cell, tally in sorted(counts.items())
    ]


def cell_row(
    cell: str,
    schools_count: int,
    outcomes: Mapping[Outcome, int],
    judged_count: int,
    enough_count: int,
    spread: tuple[float, float, float] | None,
) -> CellRow:
    """Return a row; `spread` holds median, p10 and p90."""
    return CellRow(
        cell=cell,
        schools_count=schools_count,
        ok_count=outcomes[Outcome.OK],
        failed_count=outcomes[Outcome.FAILED],
        skipped_count=outcomes[Outcome.SKIPPED],
        judged_count=judged_count,
        enough_count=enough_count,
        median=spread[0] if spread else None,
        p10=spread[1] if spread else None,
        p90=spread[2] if spread else None,
    )


def _spread(ordered: Sequence[float]) -> tuple[float, float, float] | None:
    if not ordered:
        return None
    return percentile_of_sorted(ordered, 0.5), percentile_of_sorted(ordered, 0.1), percentile_of_sorted(ordered, 0.9)
