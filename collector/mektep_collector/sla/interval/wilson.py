"""The interval of a share: Wilson's score interval without correction for continuity.

Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 22 (1927), 209-212. It never leaves
0 to 1 and holds for few tests and for shares near 0 and 1, where the normal approximation does not (Brown, Cai and
DasGupta, "Interval Estimation for a Binomial Proportion", Statistical Science 16 (2001), 101-133).
"""

from math import sqrt
from statistics import NormalDist

from mektep_wire import Interval

CONFIDENCE_RATIO = 0.95
"""What every interval of a report is made for."""


def wilson(good_count: int, count: int, confidence_ratio: float = CONFIDENCE_RATIO) -> Interval | None:
    """Return the interval of the share `good_count` of `count`, 0 to 1; None of nothing.

    Raises ValueError for a count below 0 or above `count`.
    """
    if not 0 <= good_count <= count:
        raise ValueError(f"{good_count} of {count} is no share")
    if count == 0:
        return None
    z = NormalDist().inv_cdf(0.5 + confidence_ratio / 2)
    ratio = good_count / count
    weight = z * z / count
    middle = (ratio + weight / 2) / (1 + weight)
    half = z / (1 + weight) * sqrt(ratio * (1 - ratio) / count + weight / (4 * count))
    low = 0.0 if good_count == 0 else max(0.0, middle - half)
    high = 1.0 if good_count == count else min(1.0, middle + half)
    return Interval(low=low, high=high, confidence_ratio=confidence_ratio)
