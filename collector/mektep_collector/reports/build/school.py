"""The document of one school: what it gets against norm and contract, every run of thirty days, every failure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from mektep_collector.journal.entry import Accepted
from mektep_collector.registry.records import Commitment, Device, DeviceStatus, School, Technology
from mektep_collector.reports.build.audits import NO_TERMS, SchoolAudits, Terms, build_audits
from mektep_collector.reports.build.causes import SchoolCauses, build_causes
from mektep_collector.reports.build.learning import Learning
from mektep_collector.reports.build.lessons import LessonRow, build_lessons
from mektep_collector.reports.build.origin import origin_of
from mektep_collector.reports.build.outages import OutageLook, OutageRow, availability_of, build_outages
from mektep_collector.reports.build.platforms import PlatformRow, build_platforms
from mektep_collector.reports.build.standing import Run, Standing, run_of, stand
from mektep_collector.reports.build.window import last_days, local_days
from mektep_collector.sla.availability import Availability
from mektep_collector.sla.freshness import Freshness, freshness
from mektep_collector.sla.norm import Norm, norm_of
from mektep_collector.sla.verdict import Bounds
from mektep_collector.store.store import DaySummary, Period, Store, Trace
from mektep_collector.store.summary import summarise
from mektep_wire import Direction, EngineName, FailureKind, Metric, Origin, Outcome, ProbeName, SkipReason

_LATEST = (
    Metric.IDLE_RTT_MS,
    Metric.IDLE_RTT_P95_MS,
    Metric.PACKET_LOSS_RATIO,
    Metric.LOADED_RTT_MS,
    Metric.GATEWAY_RTT_MS,
    Metric.DNS_LOOKUP_MS,
)
_MEASURED = (Metric.DOWNLOAD_THROUGHPUT_MBPS, Metric.UPLOAD_THROUGHPUT_MBPS, Metric.IDLE_RTT_MS)
_NO_LISTS = Learning()


class SeriesDay(msgspec.Struct, frozen=True, kw_only=True):
    """One local day of a series: counts of runs, and the median of the good ones; a day without runs has none."""

    day: str
    median: float | None
    ok_count: int
    failed_count: int
    skipped_count: int


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Every run of one metric in the period, in order of time, and a row for each local day, empty days too."""

    runs: Sequence[Run]
    days: Sequence[SeriesDay]


class LastValue(msgspec.Struct, frozen=True, kw_only=True):
    """The newest value of one metric; it rests on `observations_count` observations of one run where that says so."""

    value: float
    at: datetime
    observations_count: int | None


class Unmeasured(msgspec.Struct, frozen=True, kw_only=True):
    """One run that gave no value: it failed, or was not made. `detail` is the agent's own words, not translated."""

    at: datetime
    probe: ProbeName
    direction: Direction | None
    engine: EngineName
    target: str
    failure: FailureKind | None
    skip: SkipReason | None
    detail: str


class SchoolDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One computer that measures, or once measured, at the school."""

    id: str
    status: DeviceStatus
    platform: str
    agent_version: str
    enrolled_at: datetime
    last_reading_at: datetime | None


class SchoolDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One school as it stood at `made_at`. Times are in UTC; days are of `time_zone`.

    `unmeasured` holds every failed and skipped run of the period, newest first, `failures` their failed ones by kind,
    most frequent first, `outages` the outages that reach into the period, newest first. `data_used_bytes` counts both
    ways over the `runs_count` runs of the period.
    """

    made_at: datetime
    period: Period
    time_zone: str
    school_id: str
    name: str
    region: str
    district: str
    technology: Technology
    pupils_count: int | None
    places_count: int | None
    commitment: Commitment | None
    norm: Norm
    freshness: Freshness
    last_reading_at: datetime | None
    download: Standing
    upload: Standing
    download_series: Series
    upload_series: Series
    latency_series: Series
    last_values: dict[Metric, LastValue]
    availability: Availability
    outages: Sequence[OutageRow]
    unmeasured: Sequence[Unmeasured]
    failures: Sequence[tuple[FailureKind, int]]
    devices: Sequence[SchoolDevice]
    engines: Sequence[tuple[ProbeName, EngineName]]
    targets: Sequence[str]
    runs_count: int
    data_used_bytes: int
    origin: Origin
    platforms: Sequence[PlatformRow] = ()
    lessons: Sequence[LessonRow] = ()
    audits: SchoolAudits
    causes: SchoolCauses = SchoolCauses()


def build_school(
    school: School,
    devices: Iterable[Device],
    store: Store,
    now: datetime,
    learning: Learning = _NO_LISTS,
    terms: Terms = NO_TERMS,
) -> SchoolDocument:
    """Return the document of `school` at the aware time `now`; `devices` of other schools are passed over.

    `terms` are those by which devices draw their audits.
    """
    zone = ZoneInfo(school.time_zone)
    own = [device for device in devices if device.school_id == school.id]
    period = last_days(now, zone)
    latest = store.latest([school.id])
    readings = store.readings(school.id, period)
    norm = norm_of(school)
    contract = school.commitment
    last_at = max((accepted.at for accepted in latest), default=None)
    traces = {metric: store.series(school.id, metric, period) for metric in _MEASURED}
    days = {metric: summarise(school.id, found, zone) for metric, found in traces.items()}
    series = {metric: _series(traces[metric], days[metric], period, zone) for metric in _MEASURED}
    unmeasured = [_unmeasured(accepted) for accepted in reversed(readings) if not _good(accepted)]
    platforms = build_platforms(readings, learning, zone)
    kinds = Counter(run.failure for run in unmeasured if run.failure is not None)
    return SchoolDocument(
        made_at=now,
        period=period,
        time_zone=school.time_zone,
        school_id=school.id,
        name=school.name,
        region=school.region,
        district=school.district,
        technology=school.technology,
        pupils_count=school.pupils_count,
        places_count=school.places_count,
        commitment=contract,
        norm=norm,
        freshness=freshness(last_at, now),
        last_reading_at=last_at,
        download=stand(
            _last(series[Metric.DOWNLOAD_THROUGHPUT_MBPS].runs, latest, Metric.DOWNLOAD_THROUGHPUT_MBPS),
            days[Metric.DOWNLOAD_THROUGHPUT_MBPS],
            Bounds(norm_mbps=norm.mbps, contract_mbps=contract.download_mbps if contract is not None else None),
        ),
        upload=stand(
            _last(series[Metric.UPLOAD_THROUGHPUT_MBPS].runs, latest, Metric.UPLOAD_THROUGHPUT_MBPS),
            days[Metric.UPLOAD_THROUGHPUT_MBPS],
            Bounds(norm_mbps=None, contract_mbps=contract.upload_mbps if contract is not None else None),
        ),
        download_series=series[Metric.DOWNLOAD_THROUGHPUT_MBPS],
        upload_series=series[Metric.UPLOAD_THROUGHPUT_MBPS],
        latency_series=series[Metric.IDLE_RTT_MS],
        last_values=_last_values(readings),
        availability=availability_of(store, school.id, period, days, OutageLook.LOOK),
        outages=build_outages(store, school.id, period, readings),
        unmeasured=unmeasured,
        failures=kinds.most_common(),
        devices=_devices(own, latest, readings),
        engines=sorted({(accepted.reading.probe, accepted.reading.engine) for accepted in readings}),
        targets=sorted({accepted.reading.target for accepted in readings if accepted.reading.target}),
        runs_count=len(readings),
        data_used_bytes=sum(accepted.reading.bytes_sent + accepted.reading.bytes_received for accepted in readings),
        origin=origin_of(own, [*readings, *latest]),
        platforms=platforms,
        audits=build_audits(store, school.id, terms, now),
        causes=build_causes(readings),
        lessons=build_lessons(readings, platforms, learning, now),
    )


def _good(accepted: Accepted) -> bool:
    return accepted.reading.outcome is Outcome.OK


def _series(traces: Iterable[Trace], found: Sequence[DaySummary], period: Period, zone: ZoneInfo) -> Series:
    runs = [
        Run(at=trace.at, outcome=trace.outcome, value=trace.value, failure=trace.failure, skip=trace.skip)
        for trace in traces
    ]
    by_day = {day.day: day for day in found}
    rows = []
    for local in local_days(period.until, zone):
        day = by_day.get(local.isoformat())
        rows.append(
            SeriesDay(
                day=local.isoformat(),
                median=day.median if day is not None else None,
                ok_count=day.ok_count if day is not None else 0,
                failed_count=day.failed_count if day is not None else 0,
                skipped_count=day.skipped_count if day is not None else 0,
            )
        )
    return Series(runs=runs, days=rows)


def _last(runs: Sequence[Run], latest: Iterable[Accepted], metric: Metric) -> Run | None:
    """Return the newest run that was made; a skipped one says nothing of the line while an older one still does."""
    for run in reversed(runs):
        if run.outcome is not Outcome.SKIPPED:
            return run
    wanted = Direction.DOWNLOAD if metric is Metric.DOWNLOAD_THROUGHPUT_MBPS else Direction.UPLOAD
    for accepted in latest:
        if accepted.reading.direction is wanted:
            return run_of(accepted.reading, accepted.at, metric)
    return None


def _last_values(readings: Sequence[Accepted]) -> dict[Metric, LastValue]:
    found: dict[Metric, LastValue] = {}
    for accepted in readings:
        if not _good(accepted) or accepted.reading.probe is ProbeName.PLATFORM:  # platforms have values of their own
            continue
        for metric in _LATEST:
            value = accepted.reading.values.get(metric)
            if value is not None:
                count = accepted.reading.sample_counts.get(metric)
                found[metric] = LastValue(value=value, at=accepted.at, observations_count=count)
    return found


def _unmeasured(accepted: Accepted) -> Unmeasured:
    reading = accepted.reading
    return Unmeasured(
        at=accepted.at,
        probe=reading.probe,
        direction=reading.direction,
        engine=reading.engine,
        target=reading.target,
        failure=reading.failure.kind if reading.failure is not None else None,
        skip=reading.skip,
        detail=reading.failure.detail if reading.failure is not None else "",
    )


def _devices(
    devices: Iterable[Device], latest: Sequence[Accepted], readings: Sequence[Accepted]
) -> Sequence[SchoolDevice]:
    newest: dict[str, datetime] = {}
    for accepted in [*readings, *latest]:
        newest[accepted.device_id] = max(accepted.at, newest.get(accepted.device_id, accepted.at))
    return [
        SchoolDevice(
            id=device.id,
            status=device.status,
            platform=device.platform,
            agent_version=device.agent_version,
            enrolled_at=device.enrolled_at,
            last_reading_at=newest.get(device.id),
        )
        for device in devices
    ]
