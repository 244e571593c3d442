"""Invented schools and a month of invented readings for pages: no real school, no real measurement.

Each school has one way of its own: it keeps the norm, is below it, below its contract, fails, is silent, or is new.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from mektep_collector.config.lesson_needs import load_lesson_needs
from mektep_collector.config.platforms import Platform
from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.registry.records import Commitment, Device, DeviceStatus, School, Technology
from mektep_collector.reports.build.learning import Learning
from mektep_wire import (
    Cause,
    CauseReason,
    Diagnosis,
    Direction,
    EngineName,
    Evidence,
    ExpectedFrom,
    Failure,
    FailureKind,
    Metric,
    Origin,
    Outcome,
    ProbeName,
    Reading,
    SkipReason,
    Trigger,
    new_uuid7,
)

NOW = datetime(2026, 11, 23, 9, 40, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Almaty")
_EPOCH_ID = "0b54a3c2-6f0e-4d55-9a0e-7d1c5f0e8a11"
_FRIDAY = 4
_SLOTS = (time(8, 47), time(11, 12), time(14, 33), time(17, 5))


LEARNING = Learning(
    platforms=(
        Platform(name="Kundelik", url="https://kundelik.example/"),
        Platform(name="OnlineMektep", url="https://onlinemektep.example/"),
        Platform(name="Akelius", url="https://akelius.example/"),
    ),
    needs=load_lesson_needs(None).activity,
)


def school(number: int, name: str, region: str = "KZ-61", pupils_count: int | None = 526, **facts: object) -> School:
    """Return an invented school with a contract over fibre, unless `facts` say otherwise."""
    usual: dict[str, object] = {
        "district": "Үлгі ауданы",
        "technology": Technology.FIBRE,
        "commitment": Commitment(
            provider="Үлгі Телеком", download_mbps=50.0, upload_mbps=50.0, valid_from=date(2026, 1, 1)
        ),
    }
    return School(
        id=f"{number:012d}",
        name=name,
        region=region,
        pupils_count=pupils_count,
        **(usual | facts),  # type: ignore[arg-type]
    )


def device(of: School, number: int = 1) -> Device:
    """Return an invented computer of a school."""
    return Device(
        id=str(UUID(int=int(of.id) * 100 + number)),
        school_id=of.id,
        public_key=bytes(32),
        status=DeviceStatus.ACTIVE,
        enrolled_at=NOW - timedelta(days=41),
        agent_version="0.1.0",
        platform="windows",
    )


_SLOW_FOR = (
    (Cause.PROVIDER, CauseReason.FULL_BEHIND_GATEWAY),
    (Cause.PROVIDER, CauseReason.FULL_BEHIND_GATEWAY),
    (Cause.WIFI, CauseReason.FULL_BEFORE_GATEWAY),
    (Cause.PROVIDER, CauseReason.FULL_BEHIND_GATEWAY),
    (Cause.UNKNOWN, CauseReason.LINE_IN_USE),
)
_FAILED_FOR = {
    FailureKind.CONNECT_TIMEOUT: Diagnosis(cause=Cause.PROVIDER, reason=CauseReason.NOTHING_BEYOND_GATEWAY),
    FailureKind.DNS_TIMEOUT: Diagnosis(cause=Cause.UNKNOWN, reason=CauseReason.NAMES_NOT_RESOLVED),
    FailureKind.GATEWAY_UNREACHABLE: Diagnosis(cause=Cause.LAN, reason=CauseReason.GATEWAY_SILENT),
}


class Month:
    """Makes readings of one school for the days before `NOW`, the same ones from the same seed."""

    def __init__(self, of: School, seed: int, origin: Origin = Origin.MEASURED) -> None:
        self.school = of
        self.device = device(of)
        self._random = Random(seed)
        self._origin = origin
        self._seq = 0

    def reading(self, at: datetime, probe: ProbeName, engine: EngineName, **facts: object) -> Accepted:
        """Return one accepted reading made at `at`."""
        self._seq += 1
        usual: dict[str, object] = {
            "target": "ws://measure.example:8081",
            "outcome": Outcome.OK,
            "trigger": Trigger.SLOT,
            "duration_s": 10.0,
        }
        reading = Reading(
            id=new_uuid7(at, self._random),
            epoch=_EPOCH_ID,
            seq=self._seq,
            probe=probe,
            engine=engine,
            engine_version="0.1.0",
            started_at=at,
            started_monotonic_s=1_000.0 + self._seq,
            boot_id=_EPOCH_ID,
            origin=self._origin,
            **(usual | facts),  # type: ignore[arg-type]
        )
        return Accepted(
            reading=reading,
            device_id=self.device.id,
            school_id=self.school.id,
            at=at,
            time_method=TimeMethod.SAME_BOOT,
        )

    def throughput(
        self, at: datetime, download_mbps: float | None, upload_mbps: float | None, why: FailureKind | SkipReason
    ) -> Iterator[Accepted]:
        """Yield a test of both directions; a direction without a value failed, or was not made, for the reason."""
        for direction, value in ((Direction.DOWNLOAD, download_mbps), (Direction.UPLOAD, upload_mbps)):
            if value is None:
                yield self.reading(
                    at,
                    ProbeName.THROUGHPUT,
                    EngineName.NDT7,
                    direction=direction,
                    duration_s=0.5,
                    diagnosis=_FAILED_FOR.get(why) if isinstance(why, FailureKind) else None,
                    **_unmeasured(why),
                )
                continue
            metric = Metric.DOWNLOAD_THROUGHPUT_MBPS if value is download_mbps else Metric.UPLOAD_THROUGHPUT_MBPS
            yield self.reading(
                at,
                ProbeName.THROUGHPUT,
                EngineName.NDT7,
                direction=direction,
                values={metric: value, Metric.LOADED_RTT_MS: 80.0 + self._random.random() * 60},
                sample_counts={metric: 40},
                diagnosis=self._why_slow(direction, value),
                bytes_received=int(value * 1_250_000),
            )

    def _why_slow(self, direction: Direction, value_mbps: float) -> Diagnosis | None:
        contract = self.school.commitment
        if contract is None:
            return None
        expected = contract.download_mbps if direction is Direction.DOWNLOAD else contract.upload_mbps
        if value_mbps >= 0.8 * expected:
            return None
        cause, reason = _SLOW_FOR[self._seq % len(_SLOW_FOR)]
        evidence = Evidence(expected_mbps=expected, expected_from=ExpectedFrom.CONTRACT)
        return Diagnosis(cause=cause, reason=reason, evidence=evidence)

    def latency(self, at: datetime, rtt_ms: float | None) -> Accepted:
        """Return one round of echoes; None for one that nobody answered."""
        if rtt_ms is None:
            why = _unmeasured(FailureKind.NO_ANSWER)
            return self.reading(at, ProbeName.LATENCY, EngineName.UDP_ECHO, target="udp://measure.example:8082", **why)
        values = {
            Metric.IDLE_RTT_MS: rtt_ms,
            Metric.IDLE_RTT_P95_MS: rtt_ms * 1.6,
            Metric.PACKET_LOSS_RATIO: round(self._random.random() * 0.01, 2),
        }
        return self.reading(
            at,
            ProbeName.LATENCY,
            EngineName.UDP_ECHO,
            target="udp://measure.example:8082",
            values=values,
            sample_counts=dict.fromkeys(values, 100),
            bytes_sent=6_400,
            bytes_received=6_400,
        )

    def platform(
        self, at: datetime, target: str, total_ms: float | None, why: FailureKind = FailureKind.CONNECT_TIMEOUT
    ) -> Accepted:
        """Return one look at a learning platform; None for a page that did not come."""
        if total_ms is None:
            return self.reading(at, ProbeName.PLATFORM, EngineName.HTTP, target=target, **_unmeasured(why))
        values = {
            Metric.DNS_LOOKUP_MS: total_ms * 0.1,
            Metric.TCP_CONNECT_MS: total_ms * 0.2,
            Metric.TLS_HANDSHAKE_MS: total_ms * 0.3,
            Metric.TTFB_MS: total_ms * 0.3,
            Metric.SMALL_OBJECT_MS: total_ms * 0.4,
            Metric.REDIRECTS_COUNT: 1.0,
        }
        return self.reading(
            at,
            ProbeName.PLATFORM,
            EngineName.HTTP,
            target=target,
            method="page/1",
            trigger=Trigger.INTERVAL,
            values=values,
            sample_counts=dict.fromkeys(values, 1),
            bytes_sent=1_100,
            bytes_received=11_800,
        )

    def days(
        self, download_mbps: float, upload_mbps: float, failing_ratio: float = 0.03, until_day: int = 0
    ) -> Sequence[Accepted]:
        """Return thirty days of school days around two medians; `until_day` days before today it falls silent."""
        made: list[Accepted] = []
        for back in range(29, until_day - 1, -1):
            day = (NOW - timedelta(days=back)).astimezone(ZONE).date()
            if day.weekday() >= 5:
                continue
            factor = self._random.uniform(0.85, 1.1)
            for slot in _SLOTS:
                at = datetime.combine(day, slot, ZONE).astimezone(UTC)
                if at >= NOW:
                    continue
                made.extend(self._slot(at, download_mbps * factor, upload_mbps * factor, failing_ratio))
                rtt_ms = None if self._random.random() < failing_ratio else 24 + self._random.expovariate(1 / 9)
                made.append(self.latency(at - timedelta(minutes=12), rtt_ms))
        return made

    def looks(self, days_count: int) -> Sequence[Accepted]:
        """Return hourly looks at the platforms of `LEARNING`: one is down now and then, one is slow now and then."""
        self._seq = 500_000
        made: list[Accepted] = []
        for back in range(days_count - 1, -1, -1):
            day = (NOW - timedelta(days=back)).astimezone(ZONE).date()
            for hour in range(9, 18) if day.weekday() < 5 else ():
                at = datetime.combine(day, time(hour, 31), ZONE).astimezone(UTC)
                for number, platform in enumerate(LEARNING.platforms):
                    chance = self._random.random()
                    slow = 6_400.0 if number == 1 and chance < 0.06 else 420.0 + 600 * chance
                    is_down = number == 0 and chance < 0.04
                    look = self.platform(
                        at + timedelta(seconds=3 * number),
                        platform.url,
                        None if is_down else slow,
                        FailureKind.HTTP_SERVER_ERROR,
                    )
                    made += [look] if at < NOW else []
        return made

    def _slot(self, at: datetime, download_mbps: float, upload_mbps: float, failing_ratio: float) -> list[Accepted]:
        chance = self._random.random()
        if chance < failing_ratio:
            kind = self._random.choice(
                [FailureKind.CONNECT_TIMEOUT, FailureKind.DNS_TIMEOUT, FailureKind.GATEWAY_UNREACHABLE]
            )
            return list(self.throughput(at, None, None, kind))
        if at.weekday() == _FRIDAY and at.astimezone(ZONE).time() == _SLOTS[-1]:
            return list(self.throughput(at, None, None, SkipReason.MACHINE_OFF))
        spread = self._random.triangular(0.55, 1.18, 1.05)
        return list(self.throughput(at, download_mbps * spread, upload_mbps * spread, FailureKind.TIMEOUT))


def _unmeasured(why: FailureKind | SkipReason) -> dict[str, object]:
    if isinstance(why, FailureKind):
        return {"outcome": Outcome.FAILED, "failure": Failure(kind=why, detail="measure.example:8081, after 5 s")}
    return {"outcome": Outcome.SKIPPED, "skip": why}


MET = school(40_001, "№ 12 Үлгі жалпы білім беретін мектебі")
BELOW = school(
    40_002,
    "Үлгі ауылы мектебі",
    region="KZ-33",
    pupils_count=180,
    technology=Technology.SATELLITE,
    commitment=Commitment(provider="Үлгі Спутник", download_mbps=20.0, upload_mbps=4.0, valid_from=date(2026, 1, 1)),
)
SHORT = school(40_003, "Example school-gymnasium No. 7", region="KZ-75", pupils_count=1_204, district="Үлгі")
FAILING = school(40_004, "Школа-пример имени Примера", region="KZ-39", pupils_count=401, commitment=None)
SILENT = school(40_005, "Ғылым үлгі лицейі", region="KZ-62", pupils_count=None, places_count=900)
NEW = school(40_006, "Әлі өлшенбеген үлгі мектеп", region="KZ-10", pupils_count=None)
HOSTILE = school(
    40_007,
    ("<script>alert('ә')</script> \"Қазақ\" & 'ұзын' мектебі " * 7)[:300],
    region="KZ-61",
    district="<b>аудан</b>",
    pupils_count=64,
)
SIMULATED = school(40_008, "Simulated example school", region="KZ-71", pupils_count=720)
SCHOOLS = (MET, BELOW, SHORT, FAILING, SILENT, NEW, HOSTILE, SIMULATED)
DEVICES = tuple(device(one) for one in SCHOOLS if one is not NEW)


def _in_order(*made: Sequence[Accepted]) -> Sequence[Accepted]:
    return sorted((accepted for each in made for accepted in each), key=lambda accepted: accepted.at)


def entries() -> Sequence[Entry]:
    """Return what a journal would hand to a store: a month of all the schools, one entry a school."""
    months = [
        _in_order(Month(MET, 1).days(48.0, 51.0), Month(MET, 91).looks(30)),
        Month(BELOW, 2).days(11.5, 3.1, failing_ratio=0.12),
        _in_order(Month(SHORT, 3).days(31.0, 29.0, failing_ratio=0.05), Month(SHORT, 93).looks(9)),
        [
            accepted
            for back in range(12)
            for accepted in Month(FAILING, 40 + back).throughput(
                NOW - timedelta(days=back, hours=2), None, None, FailureKind.CAPTIVE_PORTAL
            )
        ],
        Month(SILENT, 5).days(61.0, 58.0, until_day=9),
        list(Month(HOSTILE, 7).throughput(NOW - timedelta(minutes=4), 93.7, 88.2, FailureKind.TIMEOUT)),
        Month(SIMULATED, 8, Origin.SIMULATED).days(46.0, 36.0),
    ]
    return [
        Entry(position=position, received_at=NOW, accepted=accepted)
        for position, accepted in enumerate(months, start=1)
    ]
