"""A day of traces as a row, by the one definition of percentile: pure, the same for every store."""

from collections.abc import Iterable
from itertools import groupby
from zoneinfo import ZoneInfo

from mektep_collector.sla.percentile import percentile_of_sorted
from mektep_collector.store.local_day import LocalDays
from mektep_collector.store.store import DaySummary, Trace
from mektep_wire import Outcome


def summarise(school_id: str, traces: Iterable[Trace], zone: ZoneInfo) -> list[DaySummary]:
    """Return a row for each local day of `traces`, which are one school's and one metric's in order of time."""
    days = LocalDays(zone)
    return [_row(school_id, day, list(members)) for day, members in groupby(traces, lambda trace: days.day(trace.at))]


def _row(school_id: str, day: str, traces: list[Trace]) -> DaySummary:
    values = sorted(trace.value for trace in traces if trace.value is not None)
    return DaySummary(
        school_id=school_id,
        day=day,
        ok_count=sum(trace.outcome is Outcome.OK for trace in traces),
        failed_count=sum(trace.outcome is Outcome.FAILED for trace in traces),
        skipped_count=sum(trace.outcome is Outcome.SKIPPED for trace in traces),
        median=percentile_of_sorted(values, 0.5) if values else None,
        p10=percentile_of_sorted(values, 0.1) if values else None,
        p90=percentile_of_sorted(values, 0.9) if values else None,
    )
