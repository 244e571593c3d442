"""Order statistics of many groups at once: the same definition as `percentile`, for columns instead of lists. Pure."""

import msgspec
import numpy as np
from numpy.typing import NDArray


class Grouped(msgspec.Struct, frozen=True, kw_only=True):
    """Values by group: those of group g are `values[starts[g] : starts[g] + counts[g]]`, ascending."""

    values: NDArray[np.float64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]

    def of(self, group: int) -> NDArray[np.float64]:
        """Return the values of one group, ascending."""
        start = int(self.starts[group])
        return self.values[start : start + int(self.counts[group])]


def grouped(group: NDArray[np.integer], value: NDArray[np.float64], groups_count: int) -> Grouped:
    """Return values, in any order, by their groups 0 to `groups_count` - 1; NaN is no value."""
    is_value = ~np.isnan(value)
    group, value = group[is_value], value[is_value]
    order = np.lexsort((value, group))
    counts = np.bincount(group, minlength=groups_count).astype(np.int64)
    return Grouped(values=value[order], starts=np.cumsum(counts) - counts, counts=counts)


def percentiles(found: Grouped, ratio: float) -> NDArray[np.float64]:
    """Return each group's percentile `ratio` (0 to 1) by definition 7, NaN of a group without values.

    Raises ValueError for another ratio.
    """
    if not 0.0 <= ratio <= 1.0:
        raise ValueError(f"a percentile's ratio lies between 0 and 1, not at {ratio}")
    result = np.full(len(found.counts), np.nan)
    is_filled = found.counts > 0
    rank = ratio * (found.counts[is_filled] - 1)
    below = rank.astype(np.int64)
    share = rank - below
    starts = found.starts[is_filled]
    low = found.values[starts + below]
    high = found.values[starts + np.minimum(below + 1, found.counts[is_filled] - 1)]
    result[is_filled] = np.where(share == 0.0, low, np.clip(low + (high - low) * share, low, high))
    return result


def counted(group: NDArray[np.integer], is_counted: NDArray[np.bool_], groups_count: int) -> NDArray[np.int64]:
    """Return how many of each group are counted."""
    return np.bincount(group[is_counted], minlength=groups_count).astype(np.int64)
