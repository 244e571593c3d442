"""The document of the fleet: one row a school, each number with what it rests on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from mektep_collector.journal.entry import Accepted
from mektep_collector.registry.records import Device, DeviceStatus, School, Technology
from mektep_collector.reports.build.audits import NO_ERRORS, ShortcutErrors, errors_by_school
from mektep_collector.reports.build.origin import origin_of
from mektep_collector.reports.build.outages import OutageLook, availability_of, schools_with_outages
from mektep_collector.reports.build.standing import Run, Standing, run_of, stand
from mektep_collector.reports.build.window import last_days, local_days
from mektep_collector.sla.availability import Availability
from mektep_collector.sla.freshness import Freshness, freshness
from mektep_collector.sla.norm import Norm, norm_of
from mektep_collector.sla.verdict import Bounds, Verdict
from mektep_collector.store.store import DaySummary, Period, Store
from mektep_wire import Direction, Metric, Origin, ProbeName

_MEASURED = (Metric.DOWNLOAD_THROUGHPUT_MBPS, Metric.UPLOAD_THROUGHPUT_MBPS, Metric.IDLE_RTT_MS)


class TrendDay(msgspec.Struct, frozen=True):
    """One local day of downloads: their median, None where none was good, and how many failed."""

    median_mbps: float | None
    failed_count: int


class FleetRow(msgspec.Struct, frozen=True, kw_only=True):
    """One school. `trend` has one entry for each local day of the period, the last one today.

    `shortcut` says by how much shortened tests missed, by the school's own audits.
    """

    school_id: str
    name: str
    region: str
    district: str
    provider: str | None
    technology: Technology
    time_zone: str
    devices_count: int
    last_reading_at: datetime | None
    freshness: Freshness
    norm: Norm
    download: Standing
    upload: Standing
    availability: Availability
    trend: Sequence[TrendDay]
    origin: Origin
    shortcut: ShortcutErrors = NO_ERRORS


class FleetDocument(msgspec.Struct, frozen=True, kw_only=True):
    """All schools of the register as they stood at `made_at`, over `days_count` local days."""

    made_at: datetime
    days_count: int
    rows: Sequence[FleetRow]


class FleetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over rows. `judged_count` schools have enough tests; only they are met or not met."""

    schools_count: int
    live_count: int
    silent_count: int
    never_count: int
    judged_count: int
    norm_met_count: int
    below_norm_count: int
    below_contract_count: int
    """Below contract, whether or not the norm is met."""
    tests_count: int
    simulated_count: int


def build_fleet(schools: Iterable[School], devices: Iterable[Device], store: Store, now: datetime) -> FleetDocument:
    """Return the fleet's document at the aware time `now`, rows in the order of `schools`."""
    schools = list(schools)
    computers: dict[str, list[Device]] = defaultdict(list)
    for device in devices:
        computers[device.school_id].append(device)
    latest: dict[str, list[Accepted]] = defaultdict(list)
    for accepted in store.latest():
        latest[accepted.school_id].append(accepted)
    days = _days(schools, store, now)
    errors = errors_by_school(store, now)
    with_outages = schools_with_outages(store, last_days(now, ZoneInfo("UTC")))
    rows = []
    for school in schools:
        by_metric = {metric: days.get((school.id, metric), ()) for metric in _MEASURED}
        look = OutageLook.LOOK if school.id in with_outages else OutageLook.NONE_KNOWN
        period = last_days(now, ZoneInfo(school.time_zone))
        share = availability_of(store, school.id, period, by_metric, look)
        row = _row(school, computers[school.id], latest[school.id], by_metric, share, now)
        rows.append(msgspec.structs.replace(row, shortcut=errors.get(school.id, NO_ERRORS)))
    return FleetDocument(made_at=now, days_count=len(local_days(now, ZoneInfo("UTC"))), rows=rows)


def summarise(rows: Iterable[FleetRow]) -> FleetSummary:
    """Return the counts over some rows."""
    rows = list(rows)
    verdicts = [row.download.verdict for row in rows]
    states = [row.freshness for row in rows]
    met = sum(verdict in {Verdict.MEETS, Verdict.BELOW_CONTRACT} for verdict in verdicts)
    below = sum(verdict in {Verdict.BELOW_NORM, Verdict.BELOW_BOTH} for verdict in verdicts)
    return FleetSummary(
        schools_count=len(rows),
        live_count=states.count(Freshness.LIVE),
        silent_count=states.count(Freshness.SILENT),
        never_count=states.count(Freshness.NEVER),
        judged_count=met + below,
        norm_met_count=met,
        below_norm_count=below,
        below_contract_count=sum(verdict in {Verdict.BELOW_CONTRACT, Verdict.BELOW_BOTH} for verdict in verdicts),
        tests_count=sum(row.download.ok_count for row in rows),
        simulated_count=sum(row.origin is Origin.SIMULATED for row in rows),
    )


def _days(schools: Sequence[School], store: Store, now: datetime) -> Mapping[tuple[str, Metric], Sequence[DaySummary]]:
    # one question a metric and period, not one a school: all time zones of Kazakhstan begin their days together
    by_period: dict[Period, list[str]] = defaultdict(list)
    for school in schools:
        by_period[last_days(now, ZoneInfo(school.time_zone))].append(school.id)
    found: dict[tuple[str, Metric], list[DaySummary]] = defaultdict(list)
    for period, school_ids in by_period.items():
        for metric in _MEASURED:
            for day in store.days(metric, period, None if len(by_period) == 1 else school_ids):
                found[day.school_id, metric].append(day)
    return found


def _row(
    school: School,
    devices: Sequence[Device],
    latest: Sequence[Accepted],
    by_metric: Mapping[Metric, Sequence[DaySummary]],
    share: Availability,
    now: datetime,
) -> FleetRow:
    norm = norm_of(school)
    contract = school.commitment
    last_at = max((accepted.at for accepted in latest), default=None)
    downloads = by_metric[Metric.DOWNLOAD_THROUGHPUT_MBPS]
    return FleetRow(
        school_id=school.id,
        name=school.name,
        region=school.region,
        district=school.district,
        provider=contract.provider if contract is not None else None,
        technology=school.technology,
        time_zone=school.time_zone,
        devices_count=sum(device.status is DeviceStatus.ACTIVE for device in devices),
        last_reading_at=last_at,
        freshness=freshness(last_at, now),
        norm=norm,
        download=stand(
            _last(latest, Direction.DOWNLOAD, Metric.DOWNLOAD_THROUGHPUT_MBPS),
            downloads,
            Bounds(norm_mbps=norm.mbps, contract_mbps=contract.download_mbps if contract is not None else None),
        ),
        upload=stand(
            _last(latest, Direction.UPLOAD, Metric.UPLOAD_THROUGHPUT_MBPS),
            by_metric[Metric.UPLOAD_THROUGHPUT_MBPS],
            Bounds(norm_mbps=None, contract_mbps=contract.upload_mbps if contract is not None else None),
        ),
        availability=share,
        trend=_trend(downloads, now, ZoneInfo(school.time_zone)),
        origin=origin_of(devices, latest),
    )


def _last(latest: Iterable[Accepted], direction: Direction, metric: Metric) -> Run | None:
    for accepted in latest:
        reading = accepted.reading
        if reading.probe is ProbeName.THROUGHPUT and reading.direction is direction:
            return run_of(reading, accepted.at, metric)
    return None


def _trend(days: Iterable[DaySummary], now: datetime, zone: ZoneInfo) -> Sequence[TrendDay]:
    by_day = {day.day: day for day in days}
    nothing = TrendDay(None, 0)
    return [
        TrendDay(by_day[day].median, by_day[day].failed_count) if day in by_day else nothing
        for day in (local.isoformat() for local in local_days(now, zone))
    ]
