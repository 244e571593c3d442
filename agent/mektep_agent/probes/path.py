"""The path in steps: own gateway, name resolution, target. Says where a trouble sits."""

from collections.abc import Callable, Sequence
from random import Random
from urllib.parse import urlsplit

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoEngine, EchoPlan, EngineError, LookupEngine
from mektep_agent.link.gateway import Gateway
from mektep_agent.probes.draft import Draft, Result
from mektep_agent.probes.probe import Run
from mektep_agent.statistics.latency import latency
from mektep_wire import EngineName, FailureKind, Metric, ProbeName, Reading

GATEWAY_PLAN = EchoPlan(probe_count=5, spacing_s=0.1, timeout_s=1.0, payload_bytes=32)
CONNECT_PLAN = EchoPlan(probe_count=3, spacing_s=0.2, timeout_s=5.0)
LOOKUP_TIMEOUT_S = 5.0
GATEWAY_TARGET = "gateway"
"""What stands as target of the gateway's reading: addresses inside a school are not sent."""


class PathProbe:
    """Implements `Probe`: a reading for each step, in the order of the path."""

    def __init__(
        self,
        gateway: Callable[[], Gateway | None],
        icmp: EchoEngine,
        lookup: LookupEngine,
        connect: EchoEngine,
        target: str,
        time: TimeSource,
        random: Random,
    ) -> None:
        self._gateway = gateway
        self._icmp = icmp
        self._lookup = lookup
        self._connect = connect
        self._target = target
        self._time = time
        self._random = random

    @property
    def name(self) -> ProbeName:
        """The probe's name on the wire."""
        return ProbeName.PATH

    async def run(self, run: Run) -> Sequence[Reading]:
        """Measure each step once."""
        return [await self._to_gateway(run), await self._look_up(run), await self._to_target(run)]

    async def _to_gateway(self, run: Run) -> Reading:
        draft = Draft(self._time, self._random, run, ProbeName.PATH, GATEWAY_TARGET)
        name, version = self._icmp.name, self._icmp.version()
        gateway = self._gateway()
        if gateway is None:
            return draft.failed(name, version, EngineError(FailureKind.NO_INTERFACE, "there is no default route"), 1)
        obstacle = self._icmp.obstacle()
        if obstacle is not None:
            return draft.failed(name, version, EngineError(FailureKind.ENGINE_UNAVAILABLE, obstacle), 1)
        try:
            sample = await self._icmp.measure(gateway.address, GATEWAY_PLAN)
        except EngineError as error:
            if error.kind is FailureKind.NO_ANSWER:
                told = f"the gateway answered none of {GATEWAY_PLAN.probe_count} echo requests; some never do"
                error = EngineError(FailureKind.GATEWAY_UNREACHABLE, told, bytes_sent=error.bytes_sent)
            return draft.failed(name, version, error, 1)
        found = latency(sample)
        result = Result(
            values={Metric.GATEWAY_RTT_MS: found.median_ms, Metric.GATEWAY_LOSS_RATIO: found.loss_ratio},
            sample_counts={Metric.GATEWAY_RTT_MS: found.answered_count, Metric.GATEWAY_LOSS_RATIO: found.probe_count},
            bytes_sent=sample.bytes_sent,
            bytes_received=sample.bytes_received,
        )
        return draft.good(name, version, result, 1)

    async def _look_up(self, run: Run) -> Reading:
        host = urlsplit(self._target).hostname or self._target
        draft = Draft(self._time, self._random, run, ProbeName.PATH, f"dns://{host}")
        name, version = EngineName.DNS, self._lookup.version()
        try:
            sample = await self._lookup.measure(host, LOOKUP_TIMEOUT_S)
        except EngineError as error:
            return draft.failed(name, version, error, 2)
        result = Result(values={Metric.DNS_LOOKUP_MS: sample.lookup_ms}, sample_counts={Metric.DNS_LOOKUP_MS: 1})
        return draft.good(name, version, result, 2)

    async def _to_target(self, run: Run) -> Reading:
        draft = Draft(self._time, self._random, run, ProbeName.PATH, self._target)
        name, version = self._connect.name, self._connect.version()
        try:
            sample = await self._connect.measure(self._target, CONNECT_PLAN)
        except EngineError as error:
            return draft.failed(name, version, error, 3)
        found = latency(sample)
        result = Result(
            values={Metric.TCP_CONNECT_MS: found.median_ms},
            sample_counts={Metric.TCP_CONNECT_MS: found.answered_count},
            bytes_sent=sample.bytes_sent,
            bytes_received=sample.bytes_received,
        )
        return draft.good(name, version, result, 3)
