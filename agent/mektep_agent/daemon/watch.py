"""Noticing, once a minute, that the computer slept or that its wall clock was set: timers do not notice either."""

import asyncio

from mektep_agent.clock import TimeSource

PERIOD_S = 60.0
_NOTABLE_S = 2.0


class Watch:
    """Compares three clocks: the wall, the one that counts sleep, and the event loop's, which may not."""

    def __init__(self, time: TimeSource) -> None:
        self._time = time
        self._wall_less_monotonic_s = self._wall_gap_s()
        self._slept_s = self._sleep_s()

    def look(self) -> tuple[float, float]:
        """Return the seconds that the wall clock was set by and those that the computer slept since the last look."""
        wall_s, slept_s = self._wall_gap_s(), self._sleep_s()
        step_s, nap_s = wall_s - self._wall_less_monotonic_s, slept_s - self._slept_s
        self._wall_less_monotonic_s, self._slept_s = wall_s, slept_s
        return (step_s if abs(step_s) > _NOTABLE_S else 0.0), (nap_s if nap_s > _NOTABLE_S else 0.0)

    def _wall_gap_s(self) -> float:
        return self._time.now().timestamp() - self._time.monotonic_s()

    def _sleep_s(self) -> float:
        return self._time.monotonic_s() - asyncio.get_running_loop().time()
