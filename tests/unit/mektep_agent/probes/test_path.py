"""The path probe: a reading for each step, so that the place of a trouble can be told."""

import asyncio
from collections.abc import Sequence
from random import Random

from mektep_agent.engines.engine import EngineError
from mektep_agent.link.gateway import Gateway
from mektep_agent.probes.path import GATEWAY_TARGET, PathProbe
from mektep_agent.probes.probe import Run
from mektep_wire import EngineName, FailureKind, Metric, Outcome, Reading, Trigger
from tests.support.agent_time import BOOT, SetTime
from tests.support.scripted_engines import ScriptedEcho, ScriptedLookup

RUN = Run(trigger=Trigger.INTERVAL, boot_id=BOOT)
HOME = Gateway("192.168.1.1", "eth0")


def run(
    *,
    gateway: Gateway | None = HOME,
    icmp: ScriptedEcho | None = None,
    lookup: ScriptedLookup | None = None,
    connect: ScriptedEcho | None = None,
) -> Sequence[Reading]:
    probe = PathProbe(
        lambda: gateway,
        icmp or ScriptedEcho(EngineName.ICMP, [1.0, 2.0, None]),
        lookup or ScriptedLookup(("203.0.113.7",)),
        connect or ScriptedEcho(EngineName.TCP_CONNECT, [40.0]),
        "wss://measure.example",
        SetTime(),
        Random(1),
    )
    return asyncio.run(probe.run(RUN))


def failures(readings: Sequence[Reading]) -> list[FailureKind | None]:
    return [reading.failure.kind if reading.failure else None for reading in readings]


def test_each_step_has_its_reading_and_its_engine() -> None:
    to_gateway, names, target = run()
    assert (to_gateway.engine, names.engine, target.engine) == (EngineName.ICMP, EngineName.DNS, EngineName.TCP_CONNECT)
    assert to_gateway.values[Metric.GATEWAY_LOSS_RATIO] == 1 / 3
    assert names.values == {Metric.DNS_LOOKUP_MS: 12.5}
    assert names.target == "dns://measure.example"
    assert target.values == {Metric.TCP_CONNECT_MS: 40.0}


def test_an_address_inside_the_school_is_not_said() -> None:
    assert run()[0].target == GATEWAY_TARGET
    silent = ScriptedEcho(EngineName.ICMP, EngineError(FailureKind.NO_ANSWER, "192.168.1.1 answered none of 5 probes"))
    failure = run(icmp=silent)[0].failure
    assert failure is not None
    assert failure.kind is FailureKind.GATEWAY_UNREACHABLE
    assert "192.168" not in failure.detail


def test_no_default_route_is_said_as_such() -> None:
    assert failures(run(gateway=None)) == [FailureKind.NO_INTERFACE, None, None]


def test_where_echo_requests_are_forbidden_the_gateway_is_not_blamed() -> None:
    forbidden = ScriptedEcho(EngineName.ICMP, [1.0], missing="this program may not send ICMP echo requests")
    assert failures(run(icmp=forbidden)) == [FailureKind.ENGINE_UNAVAILABLE, None, None]


def test_each_step_fails_for_itself() -> None:
    lying = ScriptedLookup(EngineError(FailureKind.DNS_BOGUS, "the resolver says 10.0.0.1"))
    refused = ScriptedEcho(EngineName.TCP_CONNECT, EngineError(FailureKind.CONNECTION_REFUSED, "refused"))
    readings = run(lookup=lying, connect=refused)
    assert failures(readings) == [None, FailureKind.DNS_BOGUS, FailureKind.CONNECTION_REFUSED]
    assert [reading.outcome for reading in readings] == [Outcome.OK, Outcome.FAILED, Outcome.FAILED]
