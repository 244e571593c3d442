"""Throughput: download, then upload, one reading each, with round trips timed while the link is full."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from random import Random

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoEngine, EchoPlan, EngineError, Limits, ThroughputEngine
from mektep_agent.probes.draft import Draft, Result
from mektep_agent.probes.manner import Figures, Manner
from mektep_agent.probes.probe import Run
from mektep_agent.sample import EchoSample, ThroughputSample
from mektep_agent.statistics.latency import latency
from mektep_wire import Direction, EngineName, FailureKind, Metric, ProbeName, Reading

LOADED_SPACING_S = 0.2
_VALUE = {
    Direction.DOWNLOAD: (
        Metric.DOWNLOAD_THROUGHPUT_MBPS, Metric.DOWNLOAD_NDT7_MBPS, Metric.DOWNLOAD_FULL_LENGTH_MBPS,
    ),
    Direction.UPLOAD: (
        Metric.UPLOAD_THROUGHPUT_MBPS, Metric.UPLOAD_NDT7_MBPS, Metric.UPLOAD_FULL_LENGTH_MBPS,
    ),
}  # fmt: skip


class ThroughputProbe:
    """Implements `Probe`. A direction that fails leaves the other alone: each is tried."""

    def __init__(
        self,
        engine: ThroughputEngine,
        target: str,
        manner: Manner,
        time: TimeSource,
        random: Random,
        *,
        limits: Limits,
        directions: Sequence[Direction] = (Direction.DOWNLOAD, Direction.UPLOAD),
        echo: EchoEngine | None = None,
        echo_target: str = "",
    ) -> None:
        self._engine = engine
        self._target = target
        self._manner = manner
        self._time = time
        self._random = random
        self._limits = limits
        self._directions = directions
        self._echo = echo
        self._echo_target = echo_target

    @property
    def name(self) -> ProbeName:
        """The probe's name on the wire."""
        return ProbeName.THROUGHPUT

    async def run(self, run: Run) -> Sequence[Reading]:
        """Measure each direction once."""
        return [await self._one(run, direction, seq) for seq, direction in enumerate(self._directions, start=1)]

    async def _one(self, run: Run, direction: Direction, seq: int) -> Reading:
        transfer = self._manner.plan(run, direction)
        run = msgspec.structs.replace(run, trigger=transfer.trigger)
        draft = Draft(self._time, self._random, run, ProbeName.THROUGHPUT, self._target, direction)
        name, version = self._engine.name, self._engine.version()
        obstacle = self._engine.obstacle()
        if obstacle is not None:
            return draft.failed(name, version, EngineError(FailureKind.ENGINE_UNAVAILABLE, obstacle), seq)
        heard: list[EchoSample] = []
        loaded = asyncio.create_task(self._loaded(heard))
        try:
            sample = await self._engine.measure(self._target, direction, self._limits, transfer.stop)
        except EngineError as error:
            return draft.failed(name, version, error, seq)
        finally:
            loaded.cancel()
            with suppress(asyncio.CancelledError):
                await loaded
        return draft.good(name, version, _result(name, sample, transfer.settle(sample), _joined(heard)), seq)

    async def _loaded(self, heard: list[EchoSample]) -> None:
        """Time round trips, in short rounds, until cancelled; only whole rounds count."""
        plan = EchoPlan(probe_count=5, spacing_s=LOADED_SPACING_S, timeout_s=1.5)
        while self._echo is not None:
            try:
                heard.append(await self._echo.measure(self._echo_target, plan))
            except EngineError as error:
                if error.kind is not FailureKind.NO_ANSWER:
                    return
                lost = (None,) * plan.probe_count
                heard.append(EchoSample(rtts_ms=lost, duration_s=0.0, bytes_sent=error.bytes_sent, bytes_received=0))


def _joined(rounds: Sequence[EchoSample]) -> EchoSample | None:
    """Return the rounds as one sample; None where nothing came back in any, as then UDP is likely closed."""
    rtts_ms = tuple(rtt for sample in rounds for rtt in sample.rtts_ms)
    if all(rtt is None for rtt in rtts_ms):
        return None
    return EchoSample(
        rtts_ms=rtts_ms,
        duration_s=sum(sample.duration_s for sample in rounds),
        bytes_sent=sum(sample.bytes_sent for sample in rounds),
        bytes_received=sum(sample.bytes_received for sample in rounds),
    )


def _result(engine: EngineName, sample: ThroughputSample, figures: Figures, rtts: EchoSample | None) -> Result:
    found = figures.stated
    value, ndt7, full_length = _VALUE[sample.direction]
    values = {value: found.value_mbps}
    counts = {value: found.point_count}
    if engine is EngineName.NDT7:
        values[ndt7] = (figures.full_length or found).ndt7_mbps
        counts[ndt7] = len(sample.points)
    if figures.full_length is not None:
        values[full_length] = figures.full_length.value_mbps
        counts[full_length] = figures.full_length.point_count
    if sample.direction is Direction.DOWNLOAD and sample.tcp.bytes_sent and sample.tcp.bytes_retransmitted is not None:
        ratio = sample.tcp.bytes_retransmitted / sample.tcp.bytes_sent
        values[Metric.RETRANSMISSION_RATIO] = min(1.0, ratio)
        counts[Metric.RETRANSMISSION_RATIO] = sample.tcp.bytes_sent // 1_448
    extra_sent = extra_received = 0
    if rtts is not None:
        extra_sent, extra_received = rtts.bytes_sent, rtts.bytes_received
        under_load = latency(rtts)
        values[Metric.LOADED_RTT_MS] = under_load.median_ms
        values[Metric.LOADED_RTT_P95_MS] = under_load.p95_ms
        values[Metric.LOADED_PACKET_LOSS_RATIO] = under_load.loss_ratio
        counts[Metric.LOADED_RTT_MS] = counts[Metric.LOADED_RTT_P95_MS] = under_load.answered_count
        counts[Metric.LOADED_PACKET_LOSS_RATIO] = under_load.probe_count
    return Result(
        values=values,
        sample_counts=counts,
        intervals={} if found.interval is None else {value: found.interval},
        bytes_sent=sample.bytes_sent + extra_sent,
        bytes_received=sample.bytes_received + extra_received,
        method=found.method,
        stop_reason=sample.stop_reason,
        streams_count=sample.streams_count,
    )
