"""The document of a report from the register, the store and the calendars. It asks a store, and reads no clock."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from mektep_collector.registry.records import Commitment, School
from mektep_collector.reports.build.period import by_group, shapes
from mektep_collector.reports.build.period.by_school import Measured, school_figures
from mektep_collector.reports.build.period.document import (
    GroupFigures,
    ReportDocument,
    ReportScope,
    SchoolFigures,
    ScopeKind,
)
from mektep_collector.reports.build.period.tests_by_column import Calendars, Hours, Lines, lines_of, tests_of
from mektep_collector.sla.local_time import school_days
from mektep_collector.sla.period import ReportPeriod
from mektep_collector.store.run_columns import RunColumns, columns_of, run_columns
from mektep_collector.store.store import Period, Store
from mektep_wire import Metric

_METRICS = (Metric.DOWNLOAD_THROUGHPUT_MBPS, Metric.UPLOAD_THROUGHPUT_MBPS, Metric.IDLE_RTT_MS)
_WHOLE = "whole"

Step = Callable[[str], None]
"""Told before each step of the work, by its name."""


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """What the register says: the schools of the report, all their contracts, and those that are simulated."""

    schools: Sequence[School]
    contracts: Mapping[str, Sequence[Commitment]]
    simulated: Collection[str] = frozenset()


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked to be."""

    period: ReportPeriod
    scope: ReportScope
    hours: Hours
    made_at: datetime
    version: str


def build_report(register: Register, store: Store, calendars: Calendars, terms: Terms, step: Step) -> ReportDocument:
    """Return the document; `calendars` has one for each zone of the schools. Raises StoreError."""
    schools, period = register.schools, terms.period
    lines = lines_of(schools, register.contracts, period)
    columns = {metric: _columns(store, metric, schools, period, step) for metric in _METRICS}
    step("figures")
    measured = _measured(columns, schools, lines, calendars, period, terms.hours)
    figures = school_figures(schools, lines, measured, register.simulated)
    whole = by_group.whole_figures(figures, measured, _WHOLE)
    before = _before(register, store, calendars, terms, step)
    step("tables")
    is_one_school = terms.scope.kind is ScopeKind.SCHOOL
    return ReportDocument(
        period=period,
        scope=terms.scope,
        hours=terms.hours,
        made_at=terms.made_at,
        version=terms.version,
        school_days_count=max((len(school_days(each, period)) for each in calendars.values()), default=0),
        whole=whole,
        before=before,
        bands=shapes.bands(figures),
        schools=figures,
        regions=by_group.group_figures(figures, measured, by_group.by_region(schools)),
        providers=by_group.group_figures(figures, measured, by_group.by_provider(figures)),
        providers_by_region=_matrix(figures, measured),
        technologies=by_group.group_figures(figures, measured, by_group.by_technology(schools)),
        hours_of_week=shapes.hours_of_week(measured.downloads, is_one_school=is_one_school),
        ribbon=shapes.ribbon(measured.downloads, period, is_one_school=is_one_school),
        distribution_mbps=shapes.distribution_mbps(figures),
        data_hash=_hash(columns),
    )


def _columns(store: Store, metric: Metric, schools: Sequence[School], period: ReportPeriod, step: Step) -> RunColumns:
    step(metric.value)
    zones = {school.time_zone: ZoneInfo(school.time_zone) for school in schools}
    periods = {name: Period(period.since(zone), period.until(zone)) for name, zone in zones.items()}
    return run_columns(store, metric, {school.id: periods[school.time_zone] for school in schools})


def _measured(
    columns: Mapping[Metric, RunColumns],
    schools: Sequence[School],
    lines: Lines,
    calendars: Calendars,
    period: ReportPeriod,
    hours: Hours,
) -> Measured:
    downloads, uploads, latencies = (
        tests_of(columns[metric], schools, lines, calendars, period, hours) for metric in _METRICS
    )
    return Measured(downloads=downloads, uploads=uploads, latencies=latencies)


def _before(register: Register, store: Store, calendars: Calendars, terms: Terms, step: Step) -> GroupFigures | None:
    """Return the whole's figures of the period before, by downloads alone; None where there were none."""
    step("the period before")
    schools, period = register.schools, terms.period.before()
    lines = lines_of(schools, register.contracts, period)
    nothing = columns_of([[] for _ in schools], [school.id for school in schools])
    columns = dict.fromkeys(_METRICS, nothing)
    columns[Metric.DOWNLOAD_THROUGHPUT_MBPS] = _columns(
        store, Metric.DOWNLOAD_THROUGHPUT_MBPS, schools, period, lambda _: None
    )
    if not len(columns[Metric.DOWNLOAD_THROUGHPUT_MBPS]):
        return None
    measured = _measured(columns, schools, lines, calendars, period, terms.hours)
    return by_group.whole_figures(school_figures(schools, lines, measured, register.simulated), measured, _WHOLE)


def _matrix(figures: Sequence[SchoolFigures], measured: Measured) -> list[tuple[str, GroupFigures]]:
    """Return the figures of each provider in each region, by region and provider."""
    regions = sorted({each.region for each in figures})
    rows = []
    for region in regions:
        keys = [each.provider if each.region == region else None for each in figures]
        rows += [(region, row) for row in by_group.group_figures(figures, measured, by_group.Grouping(keys))]
    return rows


def _hash(columns: Mapping[Metric, RunColumns]) -> str:
    """Return the SHA-256 of all runs: of schools' ids, and of each column in its order."""
    digest = hashlib.sha256()
    for metric, runs in columns.items():
        digest.update(metric.value.encode())
        digest.update(msgspec.json.encode(list(runs.school_ids)))
        for column in (runs.school, runs.at_us, runs.outcome, runs.value):
            digest.update(column.tobytes())
    return digest.hexdigest()
