"""The agent's two clocks behind one seam: the wall clock, which may be wrong, and the monotonic one, which is not."""

import time
from datetime import UTC, datetime
from typing import Protocol


class TimeSource(Protocol):
    """Where the agent takes time from; tests hand in their own."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware, in UTC. It may jump either way."""
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
        """Return the system's monotonic clock, shared by all processes of this boot, with the time it slept."""
        # Linux stops CLOCK_MONOTONIC while the computer sleeps; a reading from before a sleep would seem too young.
        if hasattr(time, "CLOCK_BOOTTIME"):
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()
