"""A country's school days as the store is fed them: made from a seed, by column, marked as simulated in every reading.

A school day has some 60 readings in four batches: in each a download and an upload with their intervals, eleven of
round trips, two of a platform. One school in sixteen has a failed test a day.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random

import msgspec

from mektep_collector.journal.by_column import AcceptedByColumn
from mektep_collector.journal.correction import to_us
from mektep_collector.journal.entry import Entry, TimeMethod
from mektep_collector.registry.regions import REGIONS
from mektep_wire import (
    ClockStatus,
    Columns,
    Direction,
    EngineName,
    Failure,
    FailureKind,
    Metric,
    Origin,
    Outcome,
    ProbeName,
    StopReason,
    Trigger,
)
from mektep_wire.columns import Coded, Rest, Series

BATCHES_A_DAY = 4
READINGS_A_BATCH = 15
PROVIDERS = ("Simulated provider A", "Simulated provider B", "Simulated provider C")
_PROBES = [0, 0, *[1] * 11, 2, 2]
_LATENCY_AT = list(range(2, 13))
_PLATFORM_AT = [13, 14]
_FAILED = msgspec.Raw(msgspec.json.encode({"failure": Failure(kind=FailureKind.CONNECT_TIMEOUT, detail="5 s")}))


class SimulatedSchool(msgspec.Struct, frozen=True, kw_only=True):
    """A school of the country; `rate_mbps` is its line's, `enough_mbps` what it should have."""

    id: str
    region: str
    provider: str
    device_id: str
    epoch: str
    rate_mbps: float
    rtt_ms: float
    enough_mbps: float


def schools(count: int, seed: int) -> list[SimulatedSchool]:
    """Return schools over all regions and providers, by id."""
    random = Random(seed)
    regions = list(REGIONS)
    return [
        SimulatedSchool(
            id=f"{10_000 + number}",
            region=regions[random.randrange(len(regions))],
            provider=PROVIDERS[random.randrange(len(PROVIDERS))],
            device_id=quick_uuid(random),
            epoch=quick_uuid(random),
            rate_mbps=random.lognormvariate(3.0, 0.7),
            rtt_ms=random.choice((12.0, 25.0, 40.0, 600.0)),
            enough_mbps=max(20.0, random.uniform(5, 60)),
        )
        for number in range(count)
    ]


def entries(country: list[SimulatedSchool], day: date, day_number: int, seed: int) -> Iterator[Entry]:
    """Return a day's entries of all schools; those of day 0 begin at position 1, each further day's follow."""
    random = Random(f"{seed} {day_number}")
    position = day_number * len(country) * BATCHES_A_DAY
    morning = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
    for batch in range(BATCHES_A_DAY):
        sent_at = morning + timedelta(hours=2.75 * (batch + 1))
        for school in country:
            position += 1
            first_seq = (day_number * BATCHES_A_DAY + batch) * READINGS_A_BATCH + 1
            yield Entry(
                position=position,
                received_at=sent_at,
                accepted=_batch(school, morning + timedelta(hours=2.75 * batch), first_seq, random),
            )


def _batch(school: SimulatedSchool, begins_at: datetime, first_seq: int, random: Random) -> AcceptedByColumn:
    draw = random.random
    begins_us = to_us(begins_at) + int(draw() * 3e8)
    times_us = [begins_us + at * 650_000_000 for at in range(READINGS_A_BATCH)]
    is_failing = draw() < 1 / 64
    rate = school.rate_mbps * (0.7 + 0.4 * draw())
    rtt = school.rtt_ms
    columns = Columns(
        seq=range(first_seq, first_seq + READINGS_A_BATCH),
        id=[quick_uuid(random) for _ in times_us],
        started_us=times_us,
        started_monotonic_s=[round(each / 1e6 - 1.7e9, 6) for each in times_us],
        duration_s=[round(2 * draw(), 6) for _ in times_us],
        epoch=Coded((school.epoch,)),
        boot_id=Coded((school.epoch,)),
        probe=Coded((ProbeName.THROUGHPUT, ProbeName.LATENCY, ProbeName.PLATFORM), _PROBES),
        engine=Coded((EngineName.NDT7, EngineName.UDP_ECHO, EngineName.HTTP), _PROBES),
        engine_version=Coded(("0.1.0",)),
        target=Coded(
            ("wss://measure.example.kz", "udp://measure.example.kz:8082", "https://kundelik.example/"), _PROBES
        ),
        trigger=Coded((Trigger.SLOT, Trigger.INTERVAL), [min(each, 1) for each in _PROBES]),
        outcome=Coded((Outcome.OK, Outcome.FAILED), [int(is_failing), *[0] * 14])
        if is_failing
        else Coded((Outcome.OK,)),
        direction=Coded((Direction.DOWNLOAD, Direction.UPLOAD, None), [0, 1, *[2] * 13]),
        method=Coded(("frugal/1", None), [0, 0, *[1] * 13]),
        stop_reason=Coded((StopReason.CONVERGED, None), [int(is_failing), 0, *[1] * 13]),
        origin=Coded((Origin.SIMULATED,)),
        bytes_sent=[2_000, int(rate * 50_000), *[700] * 13],
        bytes_received=[int(rate * 200_000), 2_000, *[900] * 13],
        clock_status=Coded((ClockStatus.COMPARED,)),
        clock_offset_s=[round(draw() - 0.5, 3)] * READINGS_A_BATCH,
        clock_compared_s=[round(draw() * 900, 3)] * READINGS_A_BATCH,
        metrics=_metrics(rate, rtt, random, is_failing=is_failing),
        rest=[Rest(0, _FAILED)] if is_failing else (),
    )
    return AcceptedByColumn(
        columns,
        times_us,
        [TimeMethod.SAME_BOOT] * READINGS_A_BATCH,
        device_id=school.device_id,
        school_id=school.id,
    )


def _metrics(rate: float, rtt: float, random: Random, *, is_failing: bool) -> dict[Metric, Series]:
    draw = random.random
    rtts = [round(rtt * (1 + draw()), 3) for _ in _LATENCY_AT]
    found = {
        Metric.UPLOAD_THROUGHPUT_MBPS: _throughput(1, rate / 4),
        Metric.IDLE_RTT_MS: Series(at=_LATENCY_AT, values=rtts, counts=[20] * 11),
        Metric.RTT_PDV_P95_MS: Series(at=_LATENCY_AT, values=[round(9 * draw(), 3) for _ in rtts], counts=[20] * 11),
        Metric.PACKET_LOSS_RATIO: Series(
            at=_LATENCY_AT, values=[int(draw() * 1.1) / 20 for _ in rtts], counts=[20] * 11
        ),
        Metric.DNS_LOOKUP_MS: Series(at=_PLATFORM_AT, values=[round(30 * draw(), 3) for _ in _PLATFORM_AT]),
        Metric.TTFB_MS: Series(at=_PLATFORM_AT, values=[round(rtt * 3 + 90 * draw(), 3) for _ in _PLATFORM_AT]),
    }
    if not is_failing:
        found[Metric.DOWNLOAD_THROUGHPUT_MBPS] = _throughput(0, rate)
    return found


def _throughput(at: int, rate: float) -> Series:
    value = round(rate, 6)
    return Series(
        at=[at],
        values=[value],
        counts=[140],
        lows=[round(value * 0.99, 6)],
        highs=[round(value * 1.01, 6)],
        confidence_ratio=Coded((0.95,)),
    )


def quick_uuid(random: Random) -> str:
    """Return an id of the form of version 7, of chance alone; `new_uuid7` costs seven times that."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
