"""Looks before and beside a test: round trips to gateway, first routers and target, and this computer's processors.

Beside a test some small packets go to the first routers, and more to the gateway, which do not leave the school.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoEngine, EchoPlan, EngineError
from mektep_agent.engines.hops import HopAnswer, HopEngine
from mektep_agent.engines.resolve import Resolve
from mektep_agent.link.gateway import Gateway
from mektep_agent.probes.cause.processor import ProcessorLook, look
from mektep_agent.probes.cause.rounds import Round, trips
from mektep_wire import ProbeName, Trips

HOPS_COUNT: Final = 3
"""Routers behind the gateway that are asked."""
IDLE_PLAN: Final = EchoPlan(probe_count=5, spacing_s=0.1, timeout_s=1.0, payload_bytes=32)
GATEWAY_SPACING_S: Final = (0.05, 0.2)
HOP_SPACING_S: Final = (0.1, 1.0)
"""Between two packets to one router, at first and later: most answer half a dozen at once, and then one a second."""
QUICK_S: Final = (2.0, 0.6)
"""For how long the packets to the gateway and to a router follow quickly: a shortened test is over soon."""
PROCESSOR_SPACING_S: Final = 0.25
ANSWER_TIMEOUT_S: Final = 1.0
BEFORE_TIMEOUT_S: Final = 4.0
LOOKUP_TIMEOUT_S: Final = 3.0


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the looks go: the echo server as `udp://host:port`, and its host and port for the routers before it."""

    echo_target: str
    host: str
    port: int


class HopWay(msgspec.Struct, frozen=True):
    """How a router is asked: by echo requests to its address, or by packets to the target that live so many hops."""

    address: str
    hops_count: int | None


class Beside:
    """What was seen before and beside one probe's run; of `packets_count` that left the school so many came back."""

    def __init__(self) -> None:
        self.gateway_idle: Trips | None = None
        self.target_idle: Trips | None = None
        self.hops_idle: tuple[Trips, ...] = ()
        self.gateway_rounds: list[Round] = []
        self.target_rounds: list[Round] = []
        self.hop_ways: tuple[HopWay, ...] = ()
        self.hop_rounds: tuple[list[Round], ...] = ()
        self.processor_looks: list[ProcessorLook] = []
        self.packets_count = 0
        self.returned_count = 0


class Lookout:
    """Looks for as long as a test runs. Without a `place`, as with servers that are not ours, at the gateway alone."""

    def __init__(
        self,
        gateway: Callable[[], Gateway | None],
        icmp: EchoEngine,
        hops: HopEngine,
        echo: EchoEngine,
        resolve: Resolve,
        place: Place | None,
        time: TimeSource,
    ) -> None:
        self._gateway = gateway
        self._icmp = icmp
        self._hops = hops
        self._echo = echo
        self._resolve = resolve
        self._place = place
        self._time = time

    @asynccontextmanager
    async def beside(self, probe: ProbeName) -> AsyncGenerator[Beside]:
        """Look before a test of throughput and for as long as the block runs; of other probes nothing is seen."""
        seen = Beside()
        if probe is not ProbeName.THROUGHPUT:
            yield seen
            return
        await self._look_before(seen)
        looking = [asyncio.create_task(self._watch_processors(seen))]
        gateway = self._gateway()
        if gateway is not None and self._icmp.obstacle() is None:
            looking.append(asyncio.create_task(self._ask_gateway(gateway.address, seen)))
        if self._place is not None:
            looking.append(asyncio.create_task(self._ask_target(self._place.echo_target, seen)))
        if seen.hop_ways:
            looking.append(asyncio.create_task(self._ask_hops(seen)))
        try:
            yield seen
        finally:
            for task in looking:
                task.cancel()
            await asyncio.gather(*looking, return_exceptions=True)

    async def _look_before(self, seen: Beside) -> None:
        """Time the gateway, the target and the routers before it without load."""
        gateway = self._gateway()
        async with asyncio.TaskGroup() as tasks:
            at_gateway = tasks.create_task(self._idle(self._icmp, gateway.address if gateway is not None else None))
            at_target = tasks.create_task(
                self._idle(self._echo, self._place.echo_target if self._place is not None else None)
            )
            tasks.create_task(self._find_hops(seen))
        seen.gateway_idle, seen.target_idle = at_gateway.result(), at_target.result()
        if seen.target_idle is not None:
            seen.packets_count += seen.target_idle.asked_count
            seen.returned_count += seen.target_idle.answered_count

    async def _idle(self, engine: EchoEngine, target: str | None) -> Trips | None:
        if target is None or engine.obstacle() is not None:
            return None
        try:
            async with asyncio.timeout(BEFORE_TIMEOUT_S):
                sample = await engine.measure(target, IDLE_PLAN)
        except (EngineError, TimeoutError):
            return Trips(asked_count=IDLE_PLAN.probe_count, answered_count=0)
        return trips(sample.rtts_ms)

    async def _find_hops(self, seen: Beside) -> None:
        """Find the routers behind the gateway, nearest first; the target stands among them if nothing is before it."""
        if self._place is None or self._hops.obstacle() is not None:
            return
        try:
            found = await self._resolve(self._place.host, self._place.port, LOOKUP_TIMEOUT_S)
        except EngineError:
            return
        target = found[0].host
        answers = await asyncio.gather(
            *(self._hops.measure(target, number + 2, ANSWER_TIMEOUT_S) for number in range(HOPS_COUNT))
        )
        seen.packets_count += HOPS_COUNT
        seen.returned_count += sum(answer is not None for answer in answers)
        reached = [number for number, answer in enumerate(answers) if answer is not None and answer.is_target]
        before = answers[: max(1, reached[0])] if reached else answers
        row = await asyncio.gather(*(self._idle_hop(answer, seen) for answer in before))
        seen.hops_idle = tuple(trips_ for trips_, _ in row)
        seen.hop_ways = tuple(
            HopWay(target, number + 2) if address is None else HopWay(address, None)
            for number, (_, address) in enumerate(row)
        )
        seen.hop_rounds = tuple([] for _ in row)

    async def _idle_hop(self, answer: HopAnswer | None, seen: Beside) -> tuple[Trips, str | None]:
        """Return a router's idle round trips, and its address if it answers echo requests: it answers more of them."""
        if answer is not None:
            echoed = await self._idle(self._icmp, answer.address)
            if echoed is not None:
                seen.packets_count += echoed.asked_count
                seen.returned_count += echoed.answered_count
                if echoed.answered_count:
                    return echoed, answer.address
        rtt_ms = None if answer is None else answer.rtt_ms
        return trips([rtt_ms]) or Trips(asked_count=0, answered_count=0), None

    async def _ask_gateway(self, address: str, seen: Beside) -> None:
        async def one() -> None:
            sent_s = self._time.monotonic_s()
            seen.gateway_rounds.append(Round(sent_s, await self._echo_ms(self._icmp, address)))

        await self._steadily(one, GATEWAY_SPACING_S, QUICK_S[0])

    async def _ask_target(self, target: str, seen: Beside) -> None:
        async def one() -> None:
            sent_s = self._time.monotonic_s()
            seen.packets_count += 1
            rtt_ms = await self._echo_ms(self._echo, target)
            seen.returned_count += rtt_ms is not None
            seen.target_rounds.append(Round(sent_s, rtt_ms))

        await self._steadily(one, HOP_SPACING_S, QUICK_S[1])

    async def _ask_hops(self, seen: Beside) -> None:
        number = 0

        async def one() -> None:
            nonlocal number
            place, number = number, (number + 1) % len(seen.hop_ways)
            way, sent_s = seen.hop_ways[place], self._time.monotonic_s()
            seen.packets_count += 1
            rtt_ms = await self._rtt_ms(way)
            seen.returned_count += rtt_ms is not None
            seen.hop_rounds[place].append(Round(sent_s, rtt_ms))

        count = len(seen.hop_ways)
        await self._steadily(one, (HOP_SPACING_S[0] / count, HOP_SPACING_S[1] / count), QUICK_S[1])

    async def _rtt_ms(self, way: HopWay) -> float | None:
        if way.hops_count is None:
            return await self._echo_ms(self._icmp, way.address)
        answer = await self._hops.measure(way.address, way.hops_count, ANSWER_TIMEOUT_S)
        return None if answer is None else answer.rtt_ms

    async def _echo_ms(self, engine: EchoEngine, target: str) -> float | None:
        plan = EchoPlan(probe_count=1, spacing_s=0.0, timeout_s=ANSWER_TIMEOUT_S, payload_bytes=32)
        try:
            return (await engine.measure(target, plan)).rtts_ms[0]
        except EngineError:
            return None

    async def _watch_processors(self, seen: Beside) -> None:
        while True:
            seen.processor_looks.append(look(self._time.monotonic_s()))
            await asyncio.sleep(PROCESSOR_SPACING_S)

    async def _steadily(
        self, one: Callable[[], Coroutine[None, None, None]], spacing_s: tuple[float, float], quick_s: float
    ) -> None:
        """Begin `one` again and again until cancelled, whether the one before has ended or not; then wait for all."""
        begun_s = self._time.monotonic_s()
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                task = asyncio.create_task(one())
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                is_quick = self._time.monotonic_s() - begun_s < quick_s
                await asyncio.sleep(spacing_s[0] if is_quick else spacing_s[1])
        finally:
            # Each has a deadline of its own; what is on its way in a full queue is what there is to see.
            await asyncio.gather(*under_way, return_exceptions=True)
