"""A clock that a load moves: months of school days can be taken in within minutes, and be closed as they end."""

import time
from collections.abc import Callable
from datetime import datetime

from tests.support.day_batches import sent_on


class LoadClock:
    """Stands in the evening of a day until all its `readings_a_day` are taken, then in the next day's.

    `taken_count` tells how many readings were taken so far. The monotonic clock is the system's own.
    """

    def __init__(self, taken_count: Callable[[], int], readings_a_day: int) -> None:
        self._taken_count = taken_count
        self._readings_a_day = readings_a_day

    def now(self) -> datetime:
        """Return the evening of the day that is being taken."""
        return sent_on(self._taken_count() // self._readings_a_day)

    def monotonic_s(self) -> float:
        """Return the system's monotonic clock."""
        return time.monotonic()
