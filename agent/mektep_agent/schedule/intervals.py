"""Probes at an interval inside school hours, each device at its own phase of it."""

from datetime import UTC, datetime, timedelta

from mektep_agent.schedule.slots import phase_s
from mektep_wire import ProbeName

_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)


class Interval:
    """One probe's ticks: moments `interval_s` apart, for ever, at a phase of the device's own.

    A tick that nobody was there for is gone; ticks are never made up for.
    """

    def __init__(self, probe: ProbeName, interval_s: float, device_id: str) -> None:
        self.probe = probe
        # Whole microseconds, as datetime counts them: a tick's own moment must never fall before the tick.
        self._length = timedelta(seconds=interval_s)
        self._first = _ORIGIN + timedelta(seconds=phase_s(device_id, probe.value, interval_s))

    def number_at(self, at: datetime) -> int:
        """Return the number of the last tick at or before `at`."""
        return (at - self._first) // self._length

    def moment_of(self, number: int) -> datetime:
        """Return when tick `number` is."""
        return self._first + number * self._length

    def next_after(self, at: datetime) -> datetime:
        """Return the first tick after `at`."""
        return self.moment_of(self.number_at(at) + 1)
