"""The simplest shortcut: stop after so many seconds and state bytes over time. It learns how often it was taught."""

from collections.abc import Sequence

import msgspec

from mektep_agent.engines.engine import StopRule
from mektep_agent.probes.audit.shortcut import Shortening
from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.throughput import Throughput, mean_throughput_mbps
from mektep_wire import Interval, StopReason


class _After:
    def __init__(self, least_s: float) -> None:
        self._least_s = least_s

    def decide(self, points: Sequence[Point]) -> StopReason | None:
        return StopReason.CONVERGED if points and points[-1].elapsed_s >= self._least_s else None


class _Taught:
    def __init__(self, least_s: float, method: str, times_count: int) -> None:
        self.stop: StopRule = _After(least_s)
        self.times_count = times_count
        self._method = method

    def throughput(self, sample: ThroughputSample) -> Throughput:
        end = sample.points[-1]
        mbps = end.total_bytes * 8 / end.elapsed_s / 1e6
        interval = Interval(low=mbps * 0.95, high=mbps * 1.05, confidence_ratio=0.95)
        return Throughput(
            value_mbps=mbps, ndt7_mbps=mbps, point_count=len(sample.points), method=self._method, interval=interval
        )

    def full_length(self, sample: ThroughputSample) -> Throughput:
        return mean_throughput_mbps(sample)

    def learnt_from(self, sample: ThroughputSample) -> bytes:
        return msgspec.json.encode({"times_count": self.times_count + 1})


class FirstSeconds:
    """Implements `Shortcut`."""

    def __init__(self, least_s: float = 1.0, method: str = "first_seconds/1") -> None:
        self._least_s = least_s
        self.method = method

    def recall(self, learnt: bytes | None) -> Shortening:
        times_count = 0 if learnt is None else msgspec.json.decode(learnt, type=dict[str, int])["times_count"]
        return _Taught(self._least_s, self.method, times_count)
