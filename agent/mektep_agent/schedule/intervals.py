"""Probes at an interval inside school hours, each device at its own phase of it."""

import math
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
        self.interval_s = interval_s
        self._phase_s = phase_s(device_id, probe.value, interval_s)

    def number_at(self, at: datetime) -> int:
        """Return the number of the last tick at or before `at`."""
        return math.floor(((at - _ORIGIN).total_seconds() - self._phase_s) / self.interval_s)

    def moment_of(self, number: int) -> datetime:
        """Return when tick `number` is."""
        return _ORIGIN + timedelta(seconds=self._phase_s + number * self.interval_s)

    def next_after(self, at: datetime) -> datetime:
        """Return the first tick after `at`."""
        return self.moment_of(self.number_at(at) + 1)
