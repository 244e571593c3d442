"""A clock that a test sets, and readings to fill an outbox with."""

import random
from datetime import UTC, datetime, timedelta

from mektep_agent.probes.probe import UNNUMBERED_EPOCH
from mektep_wire import (
    Direction,
    EngineName,
    Failure,
    FailureKind,
    Metric,
    Outcome,
    ProbeName,
    Reading,
    Trigger,
    new_uuid7,
)

BOOT = "11111111-1111-4111-8111-111111111111"
OTHER_BOOT = "22222222-2222-4222-8222-222222222222"
MONDAY_NOON = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""Monday, 23 November 2026, 12:00 in Asia/Almaty."""


class SetTime:
    """A wall clock and a monotonic one; `pass_s` moves both, `step_s` sets the wall clock alone."""

    def __init__(self, at: datetime = MONDAY_NOON, monotonic_s: float = 1_000.0) -> None:
        self._at = at
        self._monotonic_s = monotonic_s

    def now(self) -> datetime:
        return self._at

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def pass_s(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def step_s(self, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)


def a_reading(
    chance: random.Random,
    at: datetime = MONDAY_NOON,
    *,
    probe: ProbeName = ProbeName.LATENCY,
    outcome: Outcome = Outcome.OK,
    detail: str = "",
) -> Reading:
    """Return a plausible reading as a probe gives it."""
    is_throughput = probe is ProbeName.THROUGHPUT
    metric = Metric.DOWNLOAD_THROUGHPUT_MBPS if is_throughput else Metric.IDLE_RTT_MS
    return Reading(
        id=new_uuid7(at, chance),
        epoch=UNNUMBERED_EPOCH,
        seq=1,
        probe=probe,
        engine=EngineName.NDT7 if is_throughput else EngineName.UDP_ECHO,
        engine_version="1.0",
        target="udp://measure.example:8082",
        trigger=Trigger.INTERVAL,
        started_at=at,
        started_monotonic_s=10.0,
        boot_id=BOOT,
        duration_s=1.0,
        outcome=outcome,
        direction=Direction.DOWNLOAD if is_throughput else None,
        values={metric: 20.0} if outcome is Outcome.OK else {},
        sample_counts={metric: 10} if outcome is Outcome.OK else {},
        failure=Failure(kind=FailureKind.NO_ANSWER, detail=detail) if outcome is Outcome.FAILED else None,
    )
