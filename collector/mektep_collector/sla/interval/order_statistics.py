"""The interval of a percentile between two of the ordered values themselves, whatever their distribution.

How many of n values lie below the true percentile is binomial, so two ranks hold it with a known confidence (David and
Nagaraja, "Order Statistics", 3rd edition (2003), 7.1; Conover, "Practical Nonparametric Statistics", 3.2). Nothing is
assumed but that values are independent; few of them hold nothing: a median needs six at 95 %.
"""

from collections.abc import Sequence
from math import exp, lgamma, log, log1p

from mektep_collector.sla.interval.wilson import CONFIDENCE_RATIO
from mektep_wire import Interval


def percentile_interval(
    ordered: Sequence[float], ratio: float = 0.5, confidence_ratio: float = CONFIDENCE_RATIO
) -> Interval | None:
    """Return the interval of the percentile `ratio` (0 to 1, exclusive) of ascending values.

    None where there are too few to hold it with that confidence. Raises ValueError for another ratio.
    """
    if not 0.0 < ratio < 1.0:
        raise ValueError(f"an interval's percentile lies between 0 and 1, not at {ratio}")
    ranks = interval_ranks(len(ordered), ratio, confidence_ratio)
    if ranks is None:
        return None
    low, high = ranks
    return Interval(low=ordered[low - 1], high=ordered[high - 1], confidence_ratio=confidence_ratio)


def interval_ranks(count: int, ratio: float, confidence_ratio: float) -> tuple[int, int] | None:
    """Return the ranks, from 1, of the two values that hold the percentile; at each end half of the doubt at most."""
    doubt = (1.0 - confidence_ratio) / 2
    low = _rank_from_below(count, ratio, doubt)
    from_above = _rank_from_below(count, 1.0 - ratio, doubt)
    if low is None or from_above is None:
        return None
    return low, count + 1 - from_above


def _rank_from_below(count: int, ratio: float, doubt: float) -> int | None:
    """Return the highest rank whose value lies above the percentile with a probability of `doubt` at most."""
    below = 0.0
    for rank in range(1, count + 1):
        # P(fewer than `rank` values lie below the percentile), one term more of the binomial distribution each time
        below += _binomial(count, rank - 1, ratio)
        if below > doubt:
            return rank - 1 if rank > 1 else None
    return None


def _binomial(count: int, hits_count: int, ratio: float) -> float:
    ways = lgamma(count + 1) - lgamma(hits_count + 1) - lgamma(count - hits_count + 1)
    return exp(ways + hits_count * log(ratio) + (count - hits_count) * log1p(-ratio))
