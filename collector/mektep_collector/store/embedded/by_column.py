"""Runs of many schools over closed days and recent runs, by column, some schools at a time: memory stays small."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

import numpy as np
import pyarrow as pa

from mektep_collector.journal.correction import to_us
from mektep_collector.store.embedded.country import Country, main_engines, recent_table
from mektep_collector.store.embedded.manifest import Manifest
from mektep_collector.store.run import Run
from mektep_collector.store.run_columns import OUTCOMES, RunColumns, joined
from mektep_collector.store.store import Period
from mektep_wire import Metric

_RUNS_AT_ONCE: Final = 2_500_000
_PLACE: Final = " ".join(f"WHEN '{outcome.value}' THEN {place}" for place, outcome in enumerate(OUTCOMES))


def run_columns(
    country: Country,
    manifest: Manifest,
    metric: Metric,
    periods: Mapping[str, Period],
    recent: Mapping[str, Sequence[Run]],
) -> RunColumns:
    """Return the runs of the schools in `periods`, each within its own period. Raises StoreError."""
    school_ids = list(periods)
    if not school_ids:
        return joined([], school_ids)
    whole = Period(min(each.since for each in periods.values()), max(each.until for each in periods.values()))
    expected_count = country.expected_count(manifest, metric, whole)
    at_once = ceil(len(school_ids) / max(1, ceil(expected_count / _RUNS_AT_ONCE)))
    numbers = {school_id: number for number, school_id in enumerate(school_ids)}
    ordered = sorted(school_ids)
    parts = []
    for first in range(0, len(ordered), at_once):
        some = ordered[first : first + at_once]
        tables = {
            "recent": recent_table({school_id: recent.get(school_id, ()) for school_id in some}),
            "asked": _asked(some, numbers, periods),
        }
        parts.append(_part(country, _query(country.runs(manifest, metric, whole, some), metric), tables, school_ids))
    found = joined(parts, school_ids)
    order = np.lexsort((found.value, found.outcome, found.at_us, found.school))
    return RunColumns(
        school_ids=school_ids,
        school=found.school[order],
        at_us=found.at_us[order],
        outcome=found.outcome[order],
        value=found.value[order],
    )


def _query(runs: str, metric: Metric) -> str:
    own = f"""SELECT number AS school_id, at_us, engine, outcome, value
      FROM ({runs}) AS any_run JOIN asked USING (school_id)
      WHERE at_us >= since_us AND at_us < until_us"""  # noqa: S608 (words of our own)
    return f"""{main_engines(own, metric)}
      SELECT school_id AS school, at_us, CASE outcome {_PLACE} END AS outcome, coalesce(value, 'nan'::DOUBLE) AS value
      FROM kept"""  # noqa: S608 (words of our own)


def _part(country: Country, query: str, tables: Mapping[str, Any], school_ids: Sequence[str]) -> RunColumns:
    found = country.columns(query, tables)
    return RunColumns(
        school_ids=school_ids,
        school=np.asarray(found["school"], np.int32),
        at_us=np.asarray(found["at_us"], np.int64),
        outcome=np.asarray(found["outcome"], np.int8),
        value=np.asarray(found["value"], np.float64),
    )


def _asked(some: Sequence[str], numbers: Mapping[str, int], periods: Mapping[str, Period]) -> Any:  # noqa: ANN401 (pyarrow has no types)
    return pa.table(
        {
            "school_id": pa.array(some, pa.string()),
            "number": pa.array([numbers[school_id] for school_id in some], pa.int32()),
            "since_us": pa.array([to_us(periods[school_id].since) for school_id in some], pa.int64()),
            "until_us": pa.array([to_us(periods[school_id].until) for school_id in some], pa.int64()),
        }
    )
