"""Round trips while a throughput test fills the link: the same packets as without load, and new connections beside.

Each packet is sent for itself, whether the one before was answered or not, so that a full queue is seen as it is.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines import tcp_connect, udp_echo
from mektep_agent.engines.engine import EchoEngine, EchoPlan, EngineError
from mektep_agent.engines.resolve import Resolve, resolve
from mektep_agent.probes.latency import IDLE_PLAN
from mektep_agent.sample import EchoSample
from mektep_agent.statistics.latency import CONFIDENCE_RATIO, latency
from mektep_agent.statistics.responsiveness import LEAST_COUNT, responsiveness_rpm
from mektep_wire import EngineName, FailureKind, Interval, Metric

CONNECT_SPACING_S = 0.5
ANSWER_TIMEOUT_S = 2.0
RAMP_RATIO = 0.25
"""Part of the load's time that is left out at its beginning: the queue is not full yet."""
_LOOKUP_TIMEOUT_S = 5.0
_SPARE_S = 0.5
_LOST = frozenset({FailureKind.NO_ANSWER, FailureKind.CONNECT_TIMEOUT})


class Trip(msgspec.Struct, frozen=True):
    """One packet or connection: when it was sent, and what it took; None where it did not come back."""

    sent_s: float
    rtt_ms: float | None


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen beside a load: values with their counts and intervals, by which engine, and what it cost."""

    values: Mapping[Metric, float] = {}
    sample_counts: Mapping[Metric, int] = {}
    intervals: Mapping[Metric, Interval] = {}
    engine: EngineName | None = None
    bytes_sent: int = 0
    bytes_received: int = 0


class _Way:
    """One kind of round trip, sent at a steady pace until it is told to end."""

    def __init__(
        self,
        engine: EchoEngine,
        scheme: str,
        host: str,
        port: int,
        spacing_s: float,
        time: TimeSource,
        resolve_name: Resolve,
    ) -> None:
        self.engine = engine
        self.trips: list[Trip] = []
        self.bytes_sent = 0
        self.bytes_received = 0
        self._scheme = scheme
        self._host = host
        self._port = port
        self._spacing_s = spacing_s
        self._time = time
        self._resolve = resolve_name
        self._is_closed = False

    async def send_on(self) -> None:
        """Send until cancelled or refused, then let what is on its way come back, for `ANSWER_TIMEOUT_S` at most."""
        try:
            # Once: a look-up for each packet would be timed with it, and load the link by itself.
            found = await self._resolve(self._host, self._port, _LOOKUP_TIMEOUT_S)
        except EngineError:
            return
        host = f"[{found[0].host}]" if ":" in found[0].host else found[0].host
        target = f"{self._scheme}://{host}:{self._port}"
        under_way: set[asyncio.Task[None]] = set()
        try:
            while not self._is_closed:
                trip = asyncio.create_task(self._one(target))
                under_way.add(trip)
                trip.add_done_callback(under_way.discard)
                await asyncio.sleep(self._spacing_s)
        finally:
            if under_way:
                await asyncio.wait(under_way, timeout=ANSWER_TIMEOUT_S + _SPARE_S)
            for trip in tuple(under_way):
                trip.cancel()

    async def _one(self, target: str) -> None:
        sent_s = self._time.monotonic_s()
        plan = EchoPlan(probe_count=1, spacing_s=0.0, timeout_s=ANSWER_TIMEOUT_S, payload_bytes=IDLE_PLAN.payload_bytes)
        try:
            sample = await self.engine.measure(target, plan)
        except EngineError as error:
            self.bytes_sent += error.bytes_sent
            self.bytes_received += error.bytes_received
            if error.kind in _LOST:
                self.trips.append(Trip(sent_s, None))
            else:
                self._is_closed = True
            return
        self.bytes_sent += sample.bytes_sent
        self.bytes_received += sample.bytes_received
        self.trips.append(Trip(sent_s, sample.rtts_ms[0]))

    def within(self, begin_s: float, end_s: float) -> list[float | None]:
        """Return the round trips of what was sent between, in the order of sending."""
        ordered = sorted(self.trips, key=lambda trip: trip.sent_s)
        return [trip.rtt_ms for trip in ordered if begin_s <= trip.sent_s <= end_s]


class UnderLoad:
    """Times round trips beside a load: echoes towards `echo_target`, connections towards `connect_target`.

    Some servers take a second connection ill: without `connect_target` none is made. Raises ValueError for targets of
    another form.
    """

    def __init__(
        self,
        echo: EchoEngine,
        echo_target: str,
        connect: EchoEngine,
        connect_target: str | None,
        time: TimeSource,
        resolve_name: Resolve = resolve,
    ) -> None:
        self._echo = _Way(echo, "udp", *udp_echo.parse_target(echo_target), IDLE_PLAN.spacing_s, time, resolve_name)
        self._ways = [self._echo]
        if connect_target is not None:
            place = tcp_connect.parse_target(connect_target)
            self._ways.append(_Way(connect, "tcp", *place, CONNECT_SPACING_S, time, resolve_name))
        self._time = time
        self._begin_s = self._end_s = time.monotonic_s()

    @asynccontextmanager
    async def timed(self) -> AsyncGenerator[None]:
        """Send for as long as the block runs; the last answers are waited for after it."""
        self._begin_s = self._time.monotonic_s()
        sending = [asyncio.create_task(way.send_on()) for way in self._ways]
        try:
            yield
        finally:
            self._end_s = self._time.monotonic_s()
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    def seen(self) -> Beside:
        """Return what was seen; without values where nothing came back in time."""
        ramped_s = self._begin_s + RAMP_RATIO * (self._end_s - self._begin_s)
        cost = Beside(
            bytes_sent=sum(way.bytes_sent for way in self._ways),
            bytes_received=sum(way.bytes_received for way in self._ways),
        )
        # Where no packet ever came back UDP is closed, and the connections speak alone.
        heard = [way for way in self._ways if any(trip.rtt_ms is not None for trip in way.trips)]
        trips = [way.within(ramped_s, self._end_s) for way in heard]
        if not heard or all(rtt is None for rtt in trips[0]):
            return cost
        return _beside(heard[0].engine.name, trips[0], trips[1] if len(trips) > 1 else [], cost)


def _beside(engine: EngineName, trips: list[float | None], foreign: list[float | None], cost: Beside) -> Beside:
    found = latency(EchoSample(rtts_ms=tuple(trips), duration_s=0.0, bytes_sent=0, bytes_received=0))
    values = {Metric.LOADED_RTT_MS: found.median_ms, Metric.LOADED_RTT_P95_MS: found.p95_ms}
    counts = dict.fromkeys(values, found.answered_count)
    intervals = {}
    if engine is not EngineName.TCP_CONNECT:
        values[Metric.LOADED_PACKET_LOSS_RATIO] = found.loss_ratio
        counts[Metric.LOADED_PACKET_LOSS_RATIO] = found.probe_count
        intervals[Metric.LOADED_PACKET_LOSS_RATIO] = Interval(
            low=found.loss_low_ratio, high=found.loss_high_ratio, confidence_ratio=CONFIDENCE_RATIO
        )
    kinds = [[rtt for rtt in kind if rtt is not None] for kind in (foreign, trips)]
    rpm = responsiveness_rpm(*kinds)
    if rpm is not None:
        values[Metric.RESPONSIVENESS_RPM] = rpm
        counts[Metric.RESPONSIVENESS_RPM] = sum(len(kind) for kind in kinds if len(kind) >= LEAST_COUNT)
    return msgspec.structs.replace(cost, values=values, sample_counts=counts, intervals=intervals, engine=engine)
