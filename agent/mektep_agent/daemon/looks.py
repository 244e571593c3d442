"""Short looks at round trips before a test: a few packets to the gateway and to the echo server."""

from collections.abc import Awaitable, Callable, Mapping
from random import Random
from statistics import median

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoEngine, EchoPlan, EngineError
from mektep_agent.engines.icmp import IcmpEngine
from mektep_agent.engines.resolve import Resolve, resolve
from mektep_agent.engines.udp_echo import UdpEchoEngine
from mektep_agent.link.gateway import default_gateway
from mektep_agent.politeness.quiet import Busy

LOOK_PLAN = EchoPlan(probe_count=5, spacing_s=0.2, timeout_s=1.0, payload_bytes=32)

RttLook = Callable[[], Awaitable[float | None]]
"""Returns the median round trip in ms, or None where it cannot be had."""


def build_looks(
    echo_target: str, time: TimeSource, random: Random, look_up: Resolve = resolve
) -> Mapping[Busy, RttLook]:
    """Return the looks by what they may show; `look_up` finds the echo server."""
    icmp, udp = IcmpEngine(time, random), UdpEchoEngine(time, random, look_up)

    async def to_gateway() -> float | None:
        gateway = default_gateway()
        return None if gateway is None else await _rtt_ms(icmp, gateway.address)

    async def to_echo() -> float | None:
        return await _rtt_ms(udp, echo_target)

    return {Busy.GATEWAY_RTT: to_gateway, Busy.ECHO_RTT: to_echo}


async def _rtt_ms(engine: EchoEngine, target: str) -> float | None:
    if engine.obstacle() is not None:
        return None
    try:
        sample = await engine.measure(target, LOOK_PLAN)
    except EngineError:
        return None
    answered = [rtt_ms for rtt_ms in sample.rtts_ms if rtt_ms is not None]
    return median(answered) if answered else None
