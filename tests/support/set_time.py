"""The collector's clocks, set by hand."""

from datetime import UTC, datetime, timedelta


class SetTime:
    """Implements the collector's TimeSource; both clocks stand still until they are moved."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic_s = 1_000.0

    def now(self) -> datetime:
        """Return the set time."""
        return self._now

    def monotonic_s(self) -> float:
        """Return the set seconds."""
        return self._monotonic_s

    def pass_s(self, seconds: float) -> None:
        """Let both clocks go on."""
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def set_wall(self, now: datetime) -> None:
        """Put the wall clock elsewhere, as a person or a time server does."""
        self._now = now
