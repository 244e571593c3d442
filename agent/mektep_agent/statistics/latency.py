"""Latency from a sample: medians, percentiles, delay variation and loss with its interval.

Percentiles are nearest-rank (RFC 2330, section 11.3: an order statistic, never a value that was not observed).
"""

import math
from collections.abc import Sequence

import msgspec

from mektep_agent.sample import EchoSample

CONFIDENCE_RATIO = 0.95
_Z = 1.959963984540054


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample of round trips says. Loss is over all probes, the rest over the answered ones."""

    median_ms: float
    least_ms: float
    p95_ms: float
    pdv_p95_ms: float
    answered_count: int
    probe_count: int
    loss_ratio: float
    loss_low_ratio: float
    loss_high_ratio: float


def nearest_rank(ordered: Sequence[float], ratio: float) -> float:
    """Return the nearest-rank percentile of values in rising order; raises ValueError for none."""
    if not ordered:
        raise ValueError("a percentile needs one value at least")
    return ordered[max(0, math.ceil(ratio * len(ordered)) - 1)]


def wilson(hit_count: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson's score). 0 of n is not 0: the upper end is above it."""
    if not 0 <= hit_count <= count or count == 0:
        raise ValueError(f"{hit_count} of {count} is no share")
    share = hit_count / count
    spread = 1 + _Z**2 / count
    middle = (share + _Z**2 / (2 * count)) / spread
    half = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)) / spread
    low = 0.0 if hit_count == 0 else max(0.0, middle - half)
    high = 1.0 if hit_count == count else min(1.0, middle + half)
    return low, high


def latency(sample: EchoSample) -> Latency:
    """Return the statistics of a sample; raises ValueError for one without an answer."""
    answered = sorted(rtt for rtt in sample.rtts_ms if rtt is not None)
    lost_count = len(sample.rtts_ms) - len(answered)
    low, high = wilson(lost_count, len(sample.rtts_ms))
    p95_ms = nearest_rank(answered, 0.95)
    return Latency(
        median_ms=nearest_rank(answered, 0.5),
        least_ms=answered[0],
        p95_ms=p95_ms,
        pdv_p95_ms=p95_ms - answered[0],
        answered_count=len(answered),
        probe_count=len(sample.rtts_ms),
        loss_ratio=lost_count / len(sample.rtts_ms),
        loss_low_ratio=low,
        loss_high_ratio=high,
    )
