"""Outages of a school as the pages show them, and availability in which they and their failed runs count once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from mektep_collector.journal.entry import Accepted
from mektep_collector.sla.availability import Availability, FailedRun, availability
from mektep_collector.sla.outage import OutageSpan
from mektep_collector.store.store import DaySummary, Period, Store
from mektep_wire import Metric, OutageCause, Outcome, ProbeName

COUNTED = (Metric.DOWNLOAD_THROUGHPUT_MBPS, Metric.UPLOAD_THROUGHPUT_MBPS, Metric.IDLE_RTT_MS)
"""The metrics whose runs availability counts."""
_LONGEST_LOOK_BACK = timedelta(days=31)


class OutageLook(StrEnum):
    """Whether a school's outages are to be looked at."""

    LOOK = "look"
    NONE_KNOWN = "none_known"
    """A look at all schools at once has shown that this one has none."""


class OutageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One outage: true begin and end, how far either may be off, and its cause.

    `returns_count` is how often the line came back too shortly to count, `failed_runs_count` what failed meanwhile.
    """

    begin: datetime
    end: datetime
    duration_s: float
    cause: OutageCause
    begin_uncertainty_s: float
    end_uncertainty_s: float
    returns_count: int
    boots_count: int
    failed_runs_count: int
    device_id: str
    is_of_the_line: bool


def build_outages(store: Store, school_id: str, period: Period, readings: Iterable[Accepted]) -> Sequence[OutageRow]:
    """Return the outages that reach into the period, newest first; `readings` are those of the period."""
    failed = [
        (one.device_id, one.at)
        for one in readings
        if one.reading.outcome is Outcome.FAILED and one.reading.probe is not ProbeName.OUTAGE
    ]
    rows = []
    for accepted in _told(store, school_id, period):
        span, outage = _span(accepted), accepted.reading.outage
        rows.append(
            OutageRow(
                begin=span.begin,
                end=span.end,
                duration_s=(span.end - span.begin).total_seconds(),
                cause=span.cause,
                begin_uncertainty_s=span.begin_uncertainty_s,
                end_uncertainty_s=outage.end_uncertainty_s if outage is not None else 0.0,
                returns_count=outage.returns_count if outage is not None else 0,
                boots_count=outage.boots_count if outage is not None else 1,
                failed_runs_count=sum(span.holds(device_id, at) for device_id, at in failed),
                device_id=span.device_id,
                is_of_the_line=span.is_of_the_line,
            )
        )
    return sorted(rows, key=lambda row: row.begin, reverse=True)


def availability_of(
    store: Store, school_id: str, period: Period, days: Mapping[Metric, Sequence[DaySummary]], outages: OutageLook
) -> Availability:
    """Return the availability of a school whose runs `days` counts, with its outages.

    Failed runs are looked at one by one only where there are outages that they may belong to.
    """
    summaries = [day for metric in COUNTED for day in days.get(metric, ())]
    ok_count = sum(day.ok_count for day in summaries)
    has_any = outages is OutageLook.LOOK
    spans = [_span(accepted) for accepted in _told(store, school_id, period)] if has_any else []
    if not spans:
        return Availability(ok_count=ok_count, failed_count=sum(day.failed_count for day in summaries))
    failed = [
        FailedRun(trace.device_id, trace.at)
        for metric in COUNTED
        for trace in store.series(school_id, metric, period)
        if trace.outcome is Outcome.FAILED
    ]
    return availability(ok_count, failed, spans, period.since, period.until)


def schools_with_outages(store: Store, period: Period) -> frozenset[str]:
    """Return the schools with an outage that may reach into the period: most have none, and need no closer look."""
    return frozenset(day.school_id for day in store.days(Metric.OUTAGE_DURATION_S, _with_look_back(period)))


def _told(store: Store, school_id: str, period: Period) -> Sequence[Accepted]:
    """Return the records of outages that reach into the period."""
    found = store.readings(school_id, _with_look_back(period), ProbeName.OUTAGE)
    return [one for one in found if one.reading.outcome is Outcome.OK and _end(one) > period.since]


def _with_look_back(period: Period) -> Period:
    return Period(period.since - _LONGEST_LOOK_BACK, period.until)


def _end(accepted: Accepted) -> datetime:
    duration_s = accepted.reading.values.get(Metric.OUTAGE_DURATION_S, accepted.reading.duration_s)
    return accepted.at + timedelta(seconds=duration_s)


def _span(accepted: Accepted) -> OutageSpan:
    outage = accepted.reading.outage
    return OutageSpan(
        device_id=accepted.device_id,
        begin=accepted.at,
        end=_end(accepted),
        cause=outage.cause if outage is not None else OutageCause.UNKNOWN,
        school_s=outage.school_s if outage is not None else None,
        begin_uncertainty_s=outage.begin_uncertainty_s if outage is not None else 0.0,
    )
