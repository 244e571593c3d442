"""Runs of many schools by column: what reports are made from, where millions of rows as objects would not fit.

Each school's runs are those of its series (`Store.series`): of one engine, quarantined ones left out. They come by
school in the order asked for, then by time, and those of one moment by outcome and value: the same runs, the same
columns.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from mektep_collector.journal.correction import to_us
from mektep_collector.store.store import Period, Store, Trace
from mektep_wire import Metric, Outcome

OUTCOMES: Final = tuple(Outcome)
"""`RunColumns.outcome` counts places in it."""
OK: Final = OUTCOMES.index(Outcome.OK)
FAILED: Final = OUTCOMES.index(Outcome.FAILED)
SKIPPED: Final = OUTCOMES.index(Outcome.SKIPPED)


class RunColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Run i is of `school_ids[school[i]]`, was made at `at_us[i]` and has `value[i]`, NaN where it gave none."""

    school_ids: Sequence[str]
    school: NDArray[np.int32]
    at_us: NDArray[np.int64]
    outcome: NDArray[np.int8]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.school)


@runtime_checkable
class ByColumn(Protocol):
    """A store that gives runs by column itself, faster than school by school."""

    def run_columns(self, metric: Metric, periods: Mapping[str, Period]) -> RunColumns:
        """Return the runs of the schools in `periods`, each within its own period, by school and time."""
        ...


def run_columns(store: Store, metric: Metric, periods: Mapping[str, Period]) -> RunColumns:
    """Return the runs of the schools in `periods` from any store, by the store's own way where it has one."""
    if isinstance(store, ByColumn):
        return store.run_columns(metric, periods)
    return columns_of([store.series(school_id, metric, period) for school_id, period in periods.items()], list(periods))


def columns_of(series: Sequence[Sequence[Trace]], school_ids: Sequence[str]) -> RunColumns:
    """Return the traces of schools, one series each, by column."""
    places = {outcome: place for place, outcome in enumerate(OUTCOMES)}
    traces = [trace for one in series for trace in one]
    school = np.repeat(np.arange(len(series), dtype=np.int32), [len(one) for one in series])
    at_us = np.array([to_us(trace.at) for trace in traces], np.int64)
    outcome = np.array([places[trace.outcome] for trace in traces], np.int8)
    value = np.array([np.nan if trace.value is None else trace.value for trace in traces], np.float64)
    order = np.lexsort((value, outcome, at_us, school))
    return RunColumns(
        school_ids=school_ids,
        school=school[order],
        at_us=at_us[order],
        outcome=outcome[order],
        value=value[order],
    )


def joined(parts: Sequence[RunColumns], school_ids: Sequence[str]) -> RunColumns:
    """Return parts, in the order of their schools, as one; each part's `school` counts places in `school_ids`."""
    return RunColumns(
        school_ids=school_ids,
        school=np.concatenate([part.school for part in parts] or [np.empty(0, np.int32)]),
        at_us=np.concatenate([part.at_us for part in parts] or [np.empty(0, np.int64)]),
        outcome=np.concatenate([part.outcome for part in parts] or [np.empty(0, np.int8)]),
        value=np.concatenate([part.value for part in parts] or [np.empty(0, np.float64)]),
    )
