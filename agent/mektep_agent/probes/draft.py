"""What every probe's reading has in common: when it ran, on what, and how it went wrong.

Whether the computer slept in between is for who runs the probe to tell: the clocks here go on through a sleep.
"""

from collections.abc import Mapping
from datetime import datetime
from random import Random

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError
from mektep_agent.probes.probe import UNNUMBERED_EPOCH, Run
from mektep_wire import (
    METRICS,
    Direction,
    EngineName,
    Failure,
    FailureKind,
    Interval,
    Metric,
    Outcome,
    ProbeName,
    Reading,
    StopReason,
    new_uuid7,
)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a good run says."""

    values: Mapping[Metric, float]
    sample_counts: Mapping[Metric, int]
    intervals: Mapping[Metric, Interval] = {}
    bytes_sent: int = 0
    bytes_received: int = 0
    method: str | None = None
    stop_reason: StopReason | None = None
    streams_count: int = 1
    loaded_rtt_engine: EngineName | None = None


class Draft:
    """A reading in the making: begun before the engine runs, closed by a result or an error."""

    def __init__(
        self,
        time: TimeSource,
        random: Random,
        run: Run,
        probe: ProbeName,
        target: str,
        direction: Direction | None = None,
    ) -> None:
        self._time = time
        self._random = random
        self._run = run
        self._probe = probe
        self._target = target[:300]
        self._direction = direction
        self._started_at: datetime = time.now()
        self._started_s = time.monotonic_s()
        self._ended_s: float | None = None

    def end(self) -> None:
        """Mark the end of the test itself, where more is waited for before the reading is closed."""
        self._ended_s = self._time.monotonic_s()

    def good(self, engine: EngineName, version: str, result: Result, seq: int = 1) -> Reading:
        """Return the reading of a run that gave values; an impossible value makes it a failure."""
        for metric, value in result.values.items():
            facts = METRICS[metric]
            if not facts.low <= value <= facts.high:
                told = f"{metric.value} came out as {value:g}, which cannot be"
                return self.failed(engine, version, EngineError(FailureKind.PROTOCOL_ERROR, told), seq)
        return self._reading(engine, version, seq, Outcome.OK, None, result)

    def failed(self, engine: EngineName, version: str, error: EngineError, seq: int = 1) -> Reading:
        """Return the reading of a run that gave none."""
        failure = Failure(kind=error.kind, detail=error.detail[:500])
        spent = Result(values={}, sample_counts={}, bytes_sent=error.bytes_sent, bytes_received=error.bytes_received)
        return self._reading(engine, version, seq, Outcome.FAILED, failure, spent)

    def _reading(
        self, engine: EngineName, version: str, seq: int, outcome: Outcome, failure: Failure | None, result: Result
    ) -> Reading:
        return Reading(
            id=new_uuid7(self._started_at, self._random),
            epoch=UNNUMBERED_EPOCH,
            seq=seq,
            probe=self._probe,
            engine=engine,
            engine_version=version,
            target=self._target,
            trigger=self._run.trigger,
            started_at=self._started_at,
            started_monotonic_s=self._started_s,
            boot_id=self._run.boot_id,
            duration_s=max(0.0, (self._ended_s or self._time.monotonic_s()) - self._started_s),
            outcome=outcome,
            clock=self._run.clock,
            direction=self._direction,
            method=result.method,
            slot=self._run.slot,
            values=dict(result.values),
            sample_counts=dict(result.sample_counts),
            intervals=dict(result.intervals),
            bytes_sent=result.bytes_sent,
            bytes_received=result.bytes_received,
            failure=failure,
            stop_reason=result.stop_reason,
            streams_count=result.streams_count if result.streams_count > 1 else None,
            loaded_rtt_engine=result.loaded_rtt_engine,
            conditions=self._run.conditions,
        )
