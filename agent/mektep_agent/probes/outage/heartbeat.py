"""The heartbeat: one small packet there and back, and now and then a name, as the cheapest sign that the line lives."""

import msgspec

from mektep_agent.engines.engine import EchoEngine, EchoPlan, EngineError
from mektep_agent.probes.outage.place import LOOKUP_BYTES, Place
from mektep_wire import EngineName, FailureKind, Seen

_HEADER_BYTES = {EngineName.UDP_ECHO: 28, EngineName.TCP_CONNECT: 0}
_LOOKUP_EVERY_COUNT = 5
_UDP_AGAIN_COUNT = 30
PAYLOAD_BYTES = 32
REFUSALS = frozenset({FailureKind.CONNECTION_REFUSED, FailureKind.CONNECTION_RESET})
"""A host that says no is there."""


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One beat: `is_answered` says that a user of this line would get on; `spent_bytes` crossed the link.

    `names` is what the resolver showed, `ABSENT` where this beat did not ask it.
    """

    is_answered: bool
    spent_bytes: int
    names: Seen = Seen.ABSENT


class Heartbeat:
    """Beats towards the echo server, by TCP towards the measuring server where UDP is closed.

    `names` is the place whose name is looked up, so that a resolver that is dead is noticed; every fifth beat does, and
    each that is `thorough`.
    """

    def __init__(
        self, echo: EchoEngine, connect: EchoEngine, service: Place | None, fallback: Place, names: Place
    ) -> None:
        self._echo = echo
        self._connect = connect
        self.service = service
        self.fallback = fallback
        self.names = names
        self._beats_count = 0
        self._udp_rests_count = 0

    async def beat(self, timeout_s: float, *, thorough: bool) -> Beat:
        """Send one beat and wait for its answer, for each way at most `timeout_s`."""
        spent_bytes, names = 0, Seen.ABSENT
        self._beats_count += 1
        if thorough or self._beats_count % _LOOKUP_EVERY_COUNT == 1:
            if self.names.is_named:
                spent_bytes += LOOKUP_BYTES
                names = await self.names.look_up(timeout_s)
                if names is not Seen.ANSWERED:
                    return Beat(is_answered=False, spent_bytes=spent_bytes, names=names)
            for place in (self.service, self.fallback):
                if place is not None and place.is_named and place is not self.names:
                    spent_bytes += LOOKUP_BYTES
                    await place.look_up(timeout_s)
        ways = [(self._connect, self.fallback, "tcp")]
        if self.service is not None:
            ways.insert(0, (self._echo, self.service, "udp"))
        if self._udp_rests_count:
            self._udp_rests_count -= 1
            ways.reverse()
        for engine, place, scheme in ways:
            seen, way_bytes = await reach(engine, place.url(scheme), timeout_s)
            spent_bytes += way_bytes
            if seen is Seen.ANSWERED:
                if engine is self._connect and not self._udp_rests_count:
                    self._udp_rests_count = _UDP_AGAIN_COUNT
                return Beat(is_answered=True, spent_bytes=spent_bytes, names=names)
        return Beat(is_answered=False, spent_bytes=spent_bytes, names=names)

    async def reach_echo(self, timeout_s: float) -> tuple[Seen, int]:
        """Return what one packet to the echo server showed, at the address that is known."""
        target = self.service.url("udp") if self.service is not None else None
        return await reach(self._echo, target, timeout_s)


async def reach(engine: EchoEngine, target: str | None, timeout_s: float) -> tuple[Seen, int]:
    """Return what one packet to `target` showed, and the bytes that it cost the link."""
    if target is None:
        return Seen.ABSENT, 0
    plan = EchoPlan(probe_count=1, spacing_s=0.0, timeout_s=timeout_s, payload_bytes=PAYLOAD_BYTES)
    header_bytes = _HEADER_BYTES.get(engine.name, 0)
    try:
        sample = await engine.measure(target, plan)
    except EngineError as error:
        seen = Seen.REFUSED if error.kind in REFUSALS else Seen.SILENT
        return seen, error.bytes_sent + error.bytes_received + header_bytes
    return Seen.ANSWERED, sample.bytes_sent + sample.bytes_received + 2 * header_bytes
