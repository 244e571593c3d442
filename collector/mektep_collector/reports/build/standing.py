"""How one direction of a school's line stands: the last run, the period's median with its n, and the verdicts.

The median of a period is the median of its daily medians: each day weighs the same, so that a day with many retests
does not outweigh the others. It is the same for the fleet's list and the school's page.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from mektep_collector.sla.percentile import median
from mektep_collector.sla.verdict import Bounds, Verdict, compare, judge
from mektep_collector.store.store import DaySummary
from mektep_wire import FailureKind, Metric, Outcome, Reading, SkipReason


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run at one time: its value, or why it has none."""

    at: datetime
    outcome: Outcome
    value: float | None
    failure: FailureKind | None = None
    skip: SkipReason | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One direction. The median rests on `ok_count` tests of `days_count` days; failed and skipped ones stand beside.

    `last_verdict` is about `last` alone, and None where that gave no value; `verdict` is about the period.
    """

    bounds: Bounds
    last: Run | None
    last_verdict: Verdict | None
    median_mbps: float | None
    ok_count: int
    failed_count: int
    skipped_count: int
    days_count: int
    verdict: Verdict


def run_of(reading: Reading, at: datetime, metric: Metric) -> Run:
    """Return a reading as a run of one metric, made at the collector's time `at`."""
    good = reading.outcome is Outcome.OK
    return Run(
        at=at,
        outcome=reading.outcome,
        value=reading.values.get(metric) if good else None,
        failure=reading.failure.kind if reading.failure is not None else None,
        skip=reading.skip,
    )


def stand(last: Run | None, days: Sequence[DaySummary], bounds: Bounds) -> Standing:
    """Return the standing of a direction from its last run and the summaries of the period's days."""
    medians = [day.median for day in days if day.median is not None]
    ok_count = sum(day.ok_count for day in days)
    failed_count = sum(day.failed_count for day in days)
    median_mbps = median(medians) if medians else None
    return Standing(
        bounds=bounds,
        last=last,
        last_verdict=compare(last.value, bounds) if last is not None and last.value is not None else None,
        median_mbps=median_mbps,
        ok_count=ok_count,
        failed_count=failed_count,
        skipped_count=sum(day.skipped_count for day in days),
        days_count=len(medians),
        verdict=judge(median_mbps, ok_count, failed_count, bounds),
    )
