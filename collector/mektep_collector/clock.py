"""The collector's clock behind a seam, so that tests hand in their own."""

import time
from datetime import UTC, datetime
from typing import Protocol


class TimeSource(Protocol):
    """Where the collector takes time from."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds since an arbitrary moment of this boot. It never goes back."""
        ...


class SystemTime:
    """The computer's own clocks."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return the system's monotonic clock."""
        return time.monotonic()
