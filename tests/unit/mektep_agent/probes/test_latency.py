"""The latency probe: UDP with its loss; TCP where UDP is closed, and the reading says so."""

import asyncio
from random import Random

import pytest

from mektep_agent.engines.engine import EngineError
from mektep_agent.probes.latency import LatencyProbe
from mektep_agent.probes.probe import Run
from mektep_wire import EngineName, FailureKind, Metric, Outcome, Reading, Trigger, decode, encode
from tests.support.agent_time import BOOT, SetTime
from tests.support.scripted_engines import ScriptedEcho

RUN = Run(trigger=Trigger.INTERVAL, boot_id=BOOT)


def run(echo: ScriptedEcho, fallback: ScriptedEcho | None = None) -> Reading:
    fallback = fallback or ScriptedEcho(EngineName.TCP_CONNECT, [30.0, 31.0])
    probe = LatencyProbe(echo, "udp://h:8082", fallback, "ws://h:8081", SetTime(), Random(1))
    (reading,) = asyncio.run(probe.run(RUN))
    assert decode(Reading, encode(reading)) == reading
    return reading


def test_round_trips_and_loss_with_their_counts() -> None:
    reading = run(ScriptedEcho(EngineName.UDP_ECHO, [10.0, 12.0, None, 11.0, 30.0]))
    assert reading.values[Metric.IDLE_RTT_MS] == 11.0
    assert reading.values[Metric.IDLE_RTT_MIN_MS] == 10.0
    assert reading.values[Metric.RTT_PDV_P95_MS] == 20.0
    assert reading.values[Metric.PACKET_LOSS_RATIO] == pytest.approx(0.2)
    assert reading.sample_counts[Metric.IDLE_RTT_MS] == 4
    assert reading.sample_counts[Metric.PACKET_LOSS_RATIO] == 5


def test_none_lost_is_not_said_to_be_no_loss() -> None:
    reading = run(ScriptedEcho(EngineName.UDP_ECHO, [10.0] * 10))
    assert reading.values[Metric.PACKET_LOSS_RATIO] == 0.0
    assert reading.intervals[Metric.PACKET_LOSS_RATIO].high > 0.2


@pytest.mark.parametrize("kind", [FailureKind.NO_ANSWER, FailureKind.CONNECTION_REFUSED])
def test_where_udp_is_closed_tcp_is_timed_and_claims_no_loss(kind: FailureKind) -> None:
    reading = run(ScriptedEcho(EngineName.UDP_ECHO, EngineError(kind, "closed")))
    assert reading.engine is EngineName.TCP_CONNECT
    assert reading.target == "ws://h:8081"
    assert reading.outcome is Outcome.OK
    assert Metric.PACKET_LOSS_RATIO not in reading.values


def test_where_both_are_closed_the_reading_fails_with_the_last_reason() -> None:
    closed = EngineError(FailureKind.CONNECT_TIMEOUT, "no answer in time")
    reading = run(
        ScriptedEcho(EngineName.UDP_ECHO, EngineError(FailureKind.NO_ANSWER, "closed")),
        ScriptedEcho(EngineName.TCP_CONNECT, closed),
    )
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.CONNECT_TIMEOUT


def test_a_name_that_is_not_known_is_not_tried_twice() -> None:
    fallback = ScriptedEcho(EngineName.TCP_CONNECT, [30.0])
    reading = run(ScriptedEcho(EngineName.UDP_ECHO, EngineError(FailureKind.DNS_NXDOMAIN, "unknown")), fallback)
    assert reading.failure is not None
    assert reading.failure.kind is FailureKind.DNS_NXDOMAIN
    assert fallback.asked == []
