"""Throughput: download, then upload, one reading each, with round trips timed while the link is full."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from random import Random

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError, Limits, ThroughputEngine
from mektep_agent.probes.draft import Draft, Result
from mektep_agent.probes.manner import Figures, Manner
from mektep_agent.probes.probe import Run
from mektep_agent.probes.under_load import Beside, UnderLoad
from mektep_agent.sample import ThroughputSample
from mektep_wire import Direction, EngineName, FailureKind, Metric, ProbeName, Reading, StopReason

_CUT = {
    StopReason.CONNECTION_LOST: FailureKind.STALLED,
    StopReason.SERVER_CLOSED: FailureKind.CLOSED_EARLY,
}
KNOWN_RATIO = 0.1
"""A figure whose interval is wider, to each side, is not known well enough to be stated of a test that was cut off."""
LEAST_CAP_BYTES = 200_000
"""A transfer that may use less tells nothing, and is not begun for less."""
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
        beside: Callable[[], UnderLoad] | None = None,
    ) -> None:
        self._engine = engine
        self._target = target
        self._manner = manner
        self._time = time
        self._random = random
        self._limits = limits
        self._directions = directions
        self._beside = beside

    @property
    def name(self) -> ProbeName:
        """The probe's name on the wire."""
        return ProbeName.THROUGHPUT

    async def run(self, run: Run) -> Sequence[Reading]:
        """Measure each direction once."""
        readings: list[Reading] = []
        for seq, direction in enumerate(self._directions, start=1):
            readings.append(await self._one(run, direction, seq, self._limits_after(run, readings)))
        return readings

    def _limits_after(self, run: Run, readings: Sequence[Reading]) -> Limits:
        """Return the limits of the next transfer, when those before it have used their part of what the run may."""
        if run.max_bytes is None:
            return self._limits
        used_bytes = sum(reading.bytes_sent + reading.bytes_received for reading in readings)
        left = max(LEAST_CAP_BYTES, run.max_bytes - used_bytes)
        most = left if self._limits.max_bytes is None else min(left, self._limits.max_bytes)
        return msgspec.structs.replace(self._limits, max_bytes=most)

    async def _one(self, run: Run, direction: Direction, seq: int, limits: Limits) -> Reading:
        transfer = self._manner.plan(run, direction)
        run = msgspec.structs.replace(run, trigger=transfer.trigger)
        draft = Draft(self._time, self._random, run, ProbeName.THROUGHPUT, self._target, direction)
        name, version = self._engine.name, self._engine.version()
        obstacle = self._engine.obstacle()
        if obstacle is not None:
            return draft.failed(name, version, EngineError(FailureKind.ENGINE_UNAVAILABLE, obstacle), seq)
        under_load = self._beside() if self._beside is not None else None
        try:
            async with AsyncExitStack() as stack:
                if under_load is not None:
                    await stack.enter_async_context(under_load.timed())
                try:
                    sample = await self._engine.measure(self._target, direction, limits, transfer.stop)
                finally:
                    draft.end()
        except EngineError as error:
            return draft.failed(name, version, error, seq)
        seen = under_load.seen() if under_load is not None else Beside()
        # An audit is read over and over, which takes a part of a second.
        figures = await asyncio.to_thread(transfer.settle, sample)
        if _is_cut_too_soon(sample, figures):
            told = f"the test was cut off after {sample.duration_s:.1f} s, before the link's rate was known"
            spent = {"bytes_sent": sample.bytes_sent, "bytes_received": sample.bytes_received}
            return draft.failed(name, version, EngineError(_CUT[sample.stop_reason], told, **spent), seq)
        return draft.good(name, version, _result(name, sample, figures, seen), seq)


def _is_cut_too_soon(sample: ThroughputSample, figures: Figures) -> bool:
    """Tell whether somebody ended a test of which nothing was steady yet: that tells how TCP started, not the link."""
    interval, value_mbps = figures.stated.interval, figures.stated.value_mbps
    if sample.stop_reason not in _CUT or interval is None:
        return False
    return (interval.high - interval.low) / 2 > KNOWN_RATIO * value_mbps


def _result(engine: EngineName, sample: ThroughputSample, figures: Figures, beside: Beside) -> Result:
    found = figures.stated
    value, ndt7, full_length = _VALUE[sample.direction]
    values = {value: found.value_mbps}
    counts = {value: found.point_count}
    # Of a shortened test, bytes over the whole time are mostly the start: no NDT7 client would state that.
    if engine is EngineName.NDT7 and sample.stop_reason is not StopReason.CONVERGED:
        values[ndt7] = (figures.full_length or found).ndt7_mbps
        counts[ndt7] = len(sample.points)
    if figures.full_length is not None:
        values[full_length] = figures.full_length.value_mbps
        counts[full_length] = figures.full_length.point_count
    if sample.direction is Direction.DOWNLOAD and sample.tcp.bytes_sent and sample.tcp.bytes_retransmitted is not None:
        ratio = sample.tcp.bytes_retransmitted / sample.tcp.bytes_sent
        values[Metric.RETRANSMISSION_RATIO] = min(1.0, ratio)
        counts[Metric.RETRANSMISSION_RATIO] = sample.tcp.bytes_sent // 1_448
    if sample.direction is Direction.DOWNLOAD and sample.tcp.receiver_limited_ratio is not None:
        values[Metric.RECEIVER_LIMITED_RATIO] = sample.tcp.receiver_limited_ratio
        counts[Metric.RECEIVER_LIMITED_RATIO] = 1
    return Result(
        values={**values, **beside.values},
        sample_counts={**counts, **beside.sample_counts},
        intervals={**({} if found.interval is None else {value: found.interval}), **beside.intervals},
        bytes_sent=sample.bytes_sent + beside.bytes_sent,
        bytes_received=sample.bytes_received + beside.bytes_received,
        method=found.method,
        stop_reason=sample.stop_reason,
        streams_count=sample.streams_count,
        loaded_rtt_engine=beside.engine,
    )
