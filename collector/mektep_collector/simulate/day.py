"""What one simulated computer measures on one day: fifty to sixty readings, about as an agent would make them."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from math import cos, pi
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

from mektep_collector.simulate.fleet import SimulatedSchool
from mektep_collector.simulate.late import SATURDAY
from mektep_collector.simulate.trouble import CLOSES_S, OPENS_S, Trouble, trouble_at, troubles
from mektep_wire import (
    VERSION,
    Access,
    Clock,
    ClockStatus,
    Conditions,
    Direction,
    EngineName,
    Failure,
    FailureKind,
    Interval,
    Metric,
    Origin,
    Outage,
    OutageCause,
    Outcome,
    ProbeName,
    Reading,
    SkipReason,
    StopReason,
    Trigger,
    new_uuid7,
)

LOCAL: Final = timedelta(hours=5)
"""Kazakhstan's one time zone since March 2024, before UTC."""
_SLOTS_COUNT: Final = 4
_LAST_RUN_S: Final = CLOSES_S - 10
_BUSIEST_S: Final = 11.5 * 3_600
_LATENCY_S: Final = 1_800
_PATH_S: Final = 7_200
_PLATFORM_S: Final = 7_200
_COMPARED_S: Final = 900.0
_NDT7: Final = "wss://measure.example.kz"
_ECHO: Final = "udp://measure.example.kz:8082"
_DNS: Final = "dns://measure.example.kz"
_PLATFORMS: Final = ("https://kundelik.example/", "https://onlinemektep.example/")
_FAILED: Final = {
    OutageCause.LAN: FailureKind.GATEWAY_UNREACHABLE,
    OutageCause.PROVIDER: FailureKind.CONNECT_TIMEOUT,
    OutageCause.DNS: FailureKind.DNS_TIMEOUT,
}


class Computer:
    """One computer of a school: its outbox counts from 1 and goes on from day to day."""

    def __init__(self, school: SimulatedSchool, generation: int) -> None:
        self.school = school
        self.generation = generation
        self.epoch = str(UUID(int=school.random("epoch", generation).getrandbits(128), version=4))
        self.access = school.random("access", generation).choice((Access.WIRED, Access.WIFI))
        self.seq = 0

    def boot_id(self, day: date, number: int = 0) -> str:
        """Return a boot of a day: school computers are switched off at night, and boot again after a power cut."""
        return str(UUID(int=self.school.random("boot", self.generation, day, number).getrandbits(128), version=4))

    def readings(self, day: date) -> Iterator[Reading]:
        """Yield the readings of a day as the outbox numbers them: an outage once it is over; none on a day off.

        Each day is asked for once, in order.
        """
        if day.weekday() >= SATURDAY:
            return
        making = _Day(self, day)
        made = [*making.throughput(), *making.latency(), *making.path(), *making.platforms(), *making.outages()]
        for _, at_s, facts in sorted(made, key=lambda one: one.told_s):
            self.seq += 1
            yield making.reading(at_s, self.seq, facts)


class _Made(NamedTuple):
    """A reading to be: when it is put into the outbox, when it began, and what it says."""

    told_s: float
    at_s: float
    facts: dict[str, Any]


class _Day:
    """Draws what is measured on one day; times are seconds of the local day."""

    def __init__(self, computer: Computer, day: date) -> None:
        school = computer.school
        self._computer = computer
        self._school = school
        self._random: Random = school.random("day", computer.generation, day)
        self._midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - LOCAL
        self._troubles = troubles(school, day)
        power_back_s = [each.end_s for each in self._troubles if each.cause is OutageCause.POWER]
        self._boots_s = [OPENS_S - self._random.uniform(60.0, 1_800.0), *power_back_s]
        self._boot_ids = [computer.boot_id(day, number) for number in range(len(self._boots_s))]
        self._day = day

    def throughput(self) -> Iterator[_Made]:
        part_s = (_LAST_RUN_S - OPENS_S) / _SLOTS_COUNT
        for slot in range(_SLOTS_COUNT):
            at_s = OPENS_S + part_s * (slot + self._random.random())
            rest: dict[str, Any] = {
                "probe": ProbeName.THROUGHPUT, "engine": EngineName.NDT7, "target": _NDT7, "trigger": Trigger.SLOT,
                "method": "frugal/1", "slot": f"{self._day}/{slot + 1}",
            }  # fmt: skip
            if self._random.random() < 0.01:
                skipped = {"outcome": Outcome.SKIPPED, "skip": SkipReason.BUSY_LINK, "duration_s": 0.0}
                if not self._is_off(at_s):
                    yield from (_Made(at_s, at_s, rest | skipped | {"direction": each}) for each in Direction)
                continue
            for place, direction in enumerate(Direction):
                yield from self._one(at_s + 3.0 * place, rest | {"direction": direction}, self._rate(direction, at_s))

    def latency(self) -> Iterator[_Made]:
        link = self._school.link
        for at_s in self._times(_LATENCY_S):
            rtt_ms = link.idle_rtt_ms * (1 + 0.6 * self._random.random() * _load(at_s))
            loss = min(1.0, link.loss_ratio * self._random.expovariate(1.0))
            values = {
                Metric.IDLE_RTT_MS: round(rtt_ms, 3),
                Metric.IDLE_RTT_P95_MS: round(rtt_ms * 1.5, 3),
                Metric.PACKET_LOSS_RATIO: round(loss, 4),
            }
            facts = {"probe": ProbeName.LATENCY, "engine": EngineName.UDP_ECHO, "target": _ECHO, "duration_s": 10.2}
            yield from self._one(
                at_s, facts, {"values": values, "sample_counts": dict.fromkeys(values, 100), "bytes_sent": 6_400}
            )

    def path(self) -> Iterator[_Made]:
        for at_s in self._times(_PATH_S):
            steps = (
                (EngineName.ICMP, "gateway", {Metric.GATEWAY_RTT_MS: self._random.uniform(0.3, 6.0)}),
                (EngineName.DNS, _DNS, {Metric.DNS_LOOKUP_MS: self._random.uniform(1.0, 60.0)}),
            )
            for place, (engine, target, drawn) in enumerate(steps):
                values = {metric: round(value, 3) for metric, value in drawn.items()}
                facts = {"probe": ProbeName.PATH, "engine": engine, "target": target, "duration_s": 1.0}
                yield from self._one(at_s + place, facts, {"values": values, "sample_counts": dict.fromkeys(values, 5)})

    def platforms(self) -> Iterator[_Made]:
        for at_s in self._times(_PLATFORM_S):
            for place, target in enumerate(_PLATFORMS):
                first_ms = self._school.link.idle_rtt_ms * self._random.uniform(2.0, 5.0)
                values = {
                    Metric.DNS_LOOKUP_MS: round(self._random.uniform(1.0, 60.0), 3),
                    Metric.TCP_CONNECT_MS: round(self._school.link.idle_rtt_ms, 3),
                    Metric.TTFB_MS: round(min(59_000.0, first_ms), 3),
                }
                facts = {"probe": ProbeName.PLATFORM, "engine": EngineName.HTTP, "target": target, "method": "page/1"}
                good = {"values": values, "sample_counts": dict.fromkeys(values, 1), "bytes_received": 11_800}
                yield from self._one(at_s + 2.0 * place, facts | {"duration_s": 1.5}, good)

    def outages(self) -> Iterator[_Made]:
        for trouble in self._troubles:
            length_s = round(trouble.end_s - trouble.begin_s, 3)
            is_power = trouble.cause is OutageCause.POWER
            yield _Made(
                trouble.end_s,
                trouble.begin_s,
                {
                    "probe": ProbeName.OUTAGE, "engine": EngineName.HEARTBEAT, "target": _ECHO,
                    "trigger": Trigger.EVENT, "outcome": Outcome.OK, "duration_s": length_s,
                    "values": {Metric.OUTAGE_DURATION_S: length_s},
                    "outage": Outage(
                        cause=trouble.cause,
                        school_s=length_s,
                        begin_uncertainty_s=300.0 if is_power else 60.0,
                        boots_count=1 + is_power,
                    ),
                },
            )  # fmt: skip

    def _rate(self, direction: Direction, at_s: float) -> dict[str, Any]:
        link = self._school.link
        full = link.download_mbps if direction is Direction.DOWNLOAD else link.upload_mbps
        rate = round(full * (1 - 0.45 * _load(at_s) * self._random.random()), 3)
        metric = Metric.DOWNLOAD_THROUGHPUT_MBPS if direction is Direction.DOWNLOAD else Metric.UPLOAD_THROUGHPUT_MBPS
        values = {metric: rate, Metric.LOADED_RTT_MS: round(link.idle_rtt_ms * self._random.uniform(1.1, 4.0), 3)}
        moved = {"bytes_received" if direction is Direction.DOWNLOAD else "bytes_sent": int(rate * 125_000)}
        return {
            "values": values,
            "sample_counts": dict.fromkeys(values, 20),
            "intervals": {metric: Interval(low=0.97 * rate, high=1.03 * rate, confidence_ratio=0.95)},
            "stop_reason": StopReason.CONVERGED,
            "duration_s": round(self._random.uniform(0.6, 4.0), 3),
            **moved,
        }  # fmt: skip

    def _times(self, every_s: int) -> list[float]:
        first_s = OPENS_S + self._random.uniform(0, every_s / 2)
        return [first_s + number * every_s for number in range(int((_LAST_RUN_S - first_s) // every_s) + 1)]

    def _one(self, at_s: float, facts: dict[str, Any], good: dict[str, Any]) -> Iterator[_Made]:
        """Yield a run as it goes at its time: well, failed, or, where the power is away, not at all."""
        trouble: Trouble | None = trouble_at(self._troubles, at_s)
        run = {"trigger": Trigger.INTERVAL, "outcome": Outcome.OK} | facts
        if trouble is None and self._random.random() < 0.004:
            trouble = Trouble(at_s, at_s, OutageCause.PROVIDER)
        if trouble is None:
            yield _Made(at_s, at_s, run | good)
        elif trouble.cause is not OutageCause.POWER:
            failure = Failure(kind=_FAILED[trouble.cause], detail="simulated: no answer within 5 s")
            yield _Made(at_s, at_s, run | {"outcome": Outcome.FAILED, "failure": failure, "duration_s": 5.0})

    def _is_off(self, at_s: float) -> bool:
        trouble = trouble_at(self._troubles, at_s)
        return trouble is not None and trouble.cause is OutageCause.POWER

    def reading(self, at_s: float, seq: int, facts: dict[str, Any]) -> Reading:
        boot = bisect_right(self._boots_s, at_s) - 1
        up_s = round(at_s - self._boots_s[boot], 3)
        at = self._midnight + timedelta(seconds=round(at_s, 3))
        wrong_by_s = self._school.wrong_by_s
        return Reading(
            id=new_uuid7(at, self._random),
            epoch=self._computer.epoch,
            seq=seq,
            engine_version=VERSION,
            started_at=at + timedelta(seconds=round(wrong_by_s, 3)),
            started_monotonic_s=up_s,
            boot_id=self._boot_ids[boot],
            clock=Clock(status=ClockStatus.COMPARED, offset_s=round(-wrong_by_s, 3), compared_s=min(_COMPARED_S, up_s)),
            conditions=Conditions(access=self._computer.access),
            origin=Origin.SIMULATED,
            **facts,
        )


def _load(at_s: float) -> float:
    """Return how much of a line lessons use at a time of the day, 0 to 1: most shortly before noon."""
    edge_s = OPENS_S if at_s < _BUSIEST_S else CLOSES_S
    return 0.5 + 0.5 * cos(pi * (at_s - _BUSIEST_S) / (edge_s - _BUSIEST_S))
