"""Looks at the parts of the path while the line is down, from the inside out, for a cause that can be shown."""

import asyncio
from collections.abc import Callable, Sequence

from mektep_agent.engines.engine import EchoEngine, EchoPlan, EngineError
from mektep_agent.link.gateway import Gateway
from mektep_agent.probes.outage.cause import REACHED, Looks
from mektep_agent.probes.outage.heartbeat import Heartbeat, reach
from mektep_agent.probes.outage.place import Place
from mektep_wire import FailureKind, Seen

_GATEWAY_COUNT = 3
_GATEWAY_SPACING_S = 0.2
_GATEWAY_PORTS = (53, 80)
"""Where a gateway that answers no echo requests is knocked at: an answer of any kind shows that it is there."""


class Locator:
    """Knows the way out: the gateway, names, the service, and others who may answer when the service does not."""

    def __init__(
        self,
        gateway: Callable[[], Gateway | None],
        icmp: EchoEngine,
        connect: EchoEngine,
        heartbeat: Heartbeat,
        others: Sequence[Place],
    ) -> None:
        self._gateway = gateway
        self._icmp = icmp
        self._connect = connect
        self._heartbeat = heartbeat
        self._others = others
        self._answering_gateways: set[str] = set()

    async def learn(self, timeout_s: float) -> None:
        """While the line is up, find out whether the gateway answers looks, and where the others are."""
        gateway = self._gateway()
        if gateway is not None and await self._ask(gateway, timeout_s) in REACHED:
            self._answering_gateways.add(gateway.address)
        for place in self._others:
            await place.look_up(timeout_s)

    async def look(self, timeout_s: float) -> Looks:
        """Look at every part at once."""
        gateway = self._gateway()
        async with asyncio.TaskGroup() as tasks:
            at_gateway = tasks.create_task(self._see_gateway(gateway, timeout_s))
            names = tasks.create_task(self._heartbeat.names.look_up(timeout_s))
            service = tasks.create_task(self._see_service(timeout_s))
            others = tasks.create_task(self._see_others(timeout_s))
        return Looks(
            gateway=at_gateway.result(),
            gateway_answers=gateway is not None and gateway.address in self._answering_gateways,
            names=names.result(),
            service=service.result(),
            others=_best(others.result()),
            others_asked_count=len(self._others),
            others_answered_count=sum(seen in REACHED for seen in others.result()),
        )

    async def _see_gateway(self, gateway: Gateway | None, timeout_s: float) -> Seen:
        return Seen.ABSENT if gateway is None else await self._ask(gateway, timeout_s)

    async def _ask(self, gateway: Gateway, timeout_s: float) -> Seen:
        if self._icmp.obstacle() is None:
            plan = EchoPlan(
                probe_count=_GATEWAY_COUNT,
                spacing_s=_GATEWAY_SPACING_S,
                timeout_s=min(1.0, timeout_s),
                payload_bytes=32,
            )
            try:
                await self._icmp.measure(gateway.address, plan)
            except EngineError as error:
                if error.kind is not FailureKind.NO_ANSWER:
                    return Seen.SILENT
            else:
                return Seen.ANSWERED
        host = f"[{gateway.address}]" if ":" in gateway.address else gateway.address
        for port in _GATEWAY_PORTS:
            seen, _ = await reach(self._connect, f"tcp://{host}:{port}", min(1.0, timeout_s))
            if seen in REACHED:
                return seen
        return Seen.SILENT

    async def _see_service(self, timeout_s: float) -> Seen:
        """Return the best of what the beats' places show at the addresses that are known."""
        seen = [(await reach(self._connect, self._heartbeat.fallback.url("tcp"), timeout_s))[0]]
        if seen[0] is not Seen.ANSWERED:
            seen.append((await self._heartbeat.reach_echo(timeout_s))[0])
        return _best(seen)

    async def _see_others(self, timeout_s: float) -> list[Seen]:
        async with asyncio.TaskGroup() as tasks:
            looks = [tasks.create_task(reach(self._connect, place.url("tcp"), timeout_s)) for place in self._others]
        return [look.result()[0] for look in looks]


def _best(seen: Sequence[Seen]) -> Seen:
    for best in (Seen.ANSWERED, Seen.REFUSED, Seen.SILENT):
        if best in seen:
            return best
    return Seen.ABSENT
