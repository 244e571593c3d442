"""The interval of a group's figure by drawing its schools again: what one school tells is not told anew by each test.

Tests of one school resemble each other, so a region is as sure as its schools are many, not its tests. Whole schools
are drawn with replacement and the figure is computed of each draw; the interval lies between the percentiles of
those (Davison and Hinkley, "Bootstrap Methods and their Application" (1997), 3.8 and 5.3). The draws come from a seed,
so that the same schools give the same interval.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mektep_collector.sla.interval.wilson import CONFIDENCE_RATIO
from mektep_wire import Interval

DRAWS_COUNT = 2_000
"""Draws that an interval rests on."""
MIN_SCHOOLS_COUNT = 5
"""Of fewer schools no interval is told: drawing again cannot show what was never seen."""
_AT_ONCE = 2_000_000


def median_of_schools(
    values: Sequence[float], seed: int, confidence_ratio: float = CONFIDENCE_RATIO
) -> Interval | None:
    """Return the interval of the median of the schools' `values`, in any order; None of too few schools."""
    if len(values) < MIN_SCHOOLS_COUNT:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    drawn = [np.median(ordered[places], axis=1) for places in _draws(len(values), seed)]
    return _between(np.concatenate(drawn), confidence_ratio)


def ratio_of_schools(
    good_counts: Sequence[int], counts: Sequence[int], seed: int, confidence_ratio: float = CONFIDENCE_RATIO
) -> Interval | None:
    """Return the interval of all good ones' share of all, where school i has `good_counts[i]` of `counts[i]`.

    None of too few schools with any. Schools are taken in the order given: the same order gives the same interval.
    """
    pairs = [(good, count) for good, count in zip(good_counts, counts, strict=True) if count]
    if len(pairs) < MIN_SCHOOLS_COUNT:
        return None
    good, of = (np.asarray(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    drawn = [good[places].sum(axis=1) / of[places].sum(axis=1) for places in _draws(len(pairs), seed)]
    return _between(np.concatenate(drawn), confidence_ratio)


def _draws(schools_count: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield places of schools, one row a draw, in parts that fit into little memory."""
    generator = np.random.Generator(np.random.PCG64(seed))
    at_once = max(1, _AT_ONCE // schools_count)
    for first in range(0, DRAWS_COUNT, at_once):
        yield generator.integers(0, schools_count, size=(min(at_once, DRAWS_COUNT - first), schools_count))


def _between(drawn: NDArray[np.float64], confidence_ratio: float) -> Interval:
    doubt = (1.0 - confidence_ratio) / 2
    low, high = np.quantile(drawn, (doubt, 1.0 - doubt))
    return Interval(low=float(low), high=float(high), confidence_ratio=confidence_ratio)
