"""The one definition of percentile and median that every figure of Mektep Meter rests on.

Definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996): the ordered values stand at evenly
spaced shares from 0 (the least) to 1 (the greatest), and between two of them the percentile is on the straight line.
The median of an even count is the mean of the middle two. It is what spreadsheets call PERCENTILE.INC, DuckDB
`quantile_cont` and SQLite `percentile`, so that anybody can compute a report's figures again.
"""

from collections.abc import Sequence


def percentile(values: Sequence[float], ratio: float) -> float:
    """Return the value below which the share `ratio` (0 to 1) of `values` lies; any order, left as it is.

    Raises ValueError for no values and for a ratio outside 0 to 1.
    """
    return percentile_of_sorted(sorted(values), ratio)


def percentile_of_sorted(ordered: Sequence[float], ratio: float) -> float:
    """Return the same as `percentile` of values that ascend already. Raises ValueError as it does."""
    if not ordered:
        raise ValueError("no values have no percentile")
    if not 0.0 <= ratio <= 1.0:
        raise ValueError(f"a percentile's ratio lies between 0 and 1, not at {ratio}")
    rank = ratio * (len(ordered) - 1)
    below = int(rank)
    low = ordered[below]
    share = rank - below
    if share == 0.0:
        return low
    high = ordered[below + 1]
    return min(max(low + (high - low) * share, low), high)


def median(values: Sequence[float]) -> float:
    """Return the middle value, or the mean of the middle two. Raises ValueError for no values."""
    return percentile(values, 0.5)
