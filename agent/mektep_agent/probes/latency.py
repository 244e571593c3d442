"""Latency without load of ours: UDP echo with loss, TCP connects where UDP is closed. The heartbeat of the line."""

from collections.abc import Sequence
from random import Random

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoEngine, EchoPlan, EngineError
from mektep_agent.probes.draft import Draft, Result
from mektep_agent.probes.probe import Run
from mektep_agent.sample import EchoSample
from mektep_agent.statistics.latency import CONFIDENCE_RATIO, latency
from mektep_wire import EngineName, FailureKind, Interval, Metric, ProbeName, Reading

IDLE_PLAN = EchoPlan(probe_count=20, spacing_s=0.2, timeout_s=2.0, payload_bytes=32)
"""The same packets, as far apart, are sent under load (`under_load`): what differs is the load's."""
FALLBACK_PLAN = EchoPlan(probe_count=5, spacing_s=0.2, timeout_s=3.0)
_WARM_UP = EchoPlan(probe_count=1, spacing_s=0.0, timeout_s=2.0)
_UDP_IS_CLOSED = {FailureKind.NO_ANSWER, FailureKind.CONNECTION_REFUSED}


class LatencyProbe:
    """Implements `Probe`.

    One probe goes ahead and is not counted: it wakes a sleeping radio and fills the caches of the path. The reading's
    engine says which way it was measured; loss is stated only where packets are seen to be lost.
    """

    def __init__(
        self,
        echo: EchoEngine,
        echo_target: str,
        fallback: EchoEngine,
        fallback_target: str,
        time: TimeSource,
        random: Random,
    ) -> None:
        self._echo = echo
        self._echo_target = echo_target
        self._fallback = fallback
        self._fallback_target = fallback_target
        self._time = time
        self._random = random

    @property
    def name(self) -> ProbeName:
        """The probe's name on the wire."""
        return ProbeName.LATENCY

    async def run(self, run: Run) -> Sequence[Reading]:
        """Measure once: one reading."""
        draft = Draft(self._time, self._random, run, ProbeName.LATENCY, self._echo_target)
        try:
            sample = await self._warmed(self._echo, self._echo_target, IDLE_PLAN)
        except EngineError as error:
            if error.kind not in _UDP_IS_CLOSED:
                return [draft.failed(self._echo.name, self._echo.version(), error)]
            return [await self._fall_back(run)]
        return [draft.good(self._echo.name, self._echo.version(), result(sample, self._echo.name))]

    async def _fall_back(self, run: Run) -> Reading:
        draft = Draft(self._time, self._random, run, ProbeName.LATENCY, self._fallback_target)
        name, version = self._fallback.name, self._fallback.version()
        try:
            sample = await self._warmed(self._fallback, self._fallback_target, FALLBACK_PLAN)
        except EngineError as error:
            return draft.failed(name, version, error)
        return draft.good(name, version, result(sample, name))

    @staticmethod
    async def _warmed(engine: EchoEngine, target: str, plan: EchoPlan) -> EchoSample:
        try:
            await engine.measure(target, _WARM_UP)
        except EngineError as error:
            # A port that says no says it again; a packet that is lost may be the only one.
            if error.kind is not FailureKind.NO_ANSWER:
                raise
        return await engine.measure(target, plan)


def result(sample: EchoSample, engine: EngineName) -> Result:
    """Return the values of idle round trips; loss only for engines that see packets."""
    found = latency(sample)
    values = {
        Metric.IDLE_RTT_MS: found.median_ms,
        Metric.IDLE_RTT_MIN_MS: found.least_ms,
        Metric.IDLE_RTT_P95_MS: found.p95_ms,
        Metric.RTT_PDV_P95_MS: found.pdv_p95_ms,
    }
    counts = dict.fromkeys(values, found.answered_count)
    intervals = {}
    if engine is not EngineName.TCP_CONNECT:
        values[Metric.PACKET_LOSS_RATIO] = found.loss_ratio
        counts[Metric.PACKET_LOSS_RATIO] = found.probe_count
        intervals[Metric.PACKET_LOSS_RATIO] = Interval(
            low=found.loss_low_ratio, high=found.loss_high_ratio, confidence_ratio=CONFIDENCE_RATIO
        )
    return Result(
        values=values,
        sample_counts=counts,
        intervals=intervals,
        bytes_sent=sample.bytes_sent,
        bytes_received=sample.bytes_received,
    )
