"""Points of transfers over links that exist on paper alone: what a client would have seen, look by look."""

from collections.abc import Callable, Sequence
from itertools import count
from random import Random

from mektep_agent.sample import Point, ThroughputSample
from mektep_wire import Direction, StopReason

LOOK_S = 0.05
SEGMENT_BYTES = 1448
FIRST_WINDOW_BYTES = 10 * SEGMENT_BYTES


def points_of(rate_mbps: Callable[[float], float], length_s: float = 10.0, look_s: float = LOOK_S) -> tuple[Point, ...]:
    """Return what arrives of a flow whose rate at each moment is told, looked at evenly."""
    points: list[Point] = []
    total_bytes = 0.0
    for step in count(1):
        at_s = step * look_s
        if at_s > length_s + 1e-9:
            return tuple(points)
        total_bytes += rate_mbps(at_s - look_s / 2) * 1e6 / 8 * look_s
        points.append(Point(round(at_s, 6), int(total_bytes)))
    raise AssertionError("count never ends")


def started(link_mbps: float, rtt_s: float) -> Callable[[float], float]:
    """Return the rate of slow start: it doubles with each round trip until the link is full, and stays there."""
    first_mbps = FIRST_WINDOW_BYTES * 8 / rtt_s / 1e6
    return lambda at_s: min(link_mbps, first_mbps * 2.0 ** min(at_s / rtt_s, 60))


def noisy(rate_mbps: Callable[[float], float], share: float, random: Random) -> Callable[[float], float]:
    """Return a rate that is off by up to `share` at each look."""
    return lambda at_s: rate_mbps(at_s) * (1 + random.uniform(-share, share))


def burst(link_mbps: float, times: float, burst_s: float) -> Callable[[float], float]:
    """Return the rate behind a token bucket that lasts for `burst_s`."""
    return lambda at_s: link_mbps * times if at_s < burst_s else link_mbps


def sample_of(points: Sequence[Point], stop_reason: StopReason = StopReason.FULL_LENGTH) -> ThroughputSample:
    """Return a download of these points."""
    end = points[-1]
    return ThroughputSample(
        direction=Direction.DOWNLOAD,
        points=tuple(points),
        duration_s=end.elapsed_s,
        bytes_sent=end.total_bytes // 50,
        bytes_received=end.total_bytes,
        stop_reason=stop_reason,
    )
