"""Looking around twice a second while a test runs: whether the computer slept, and what else crossed the line."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from mektep_agent.clock import TimeSource
from mektep_agent.link.counters import Crossed
from mektep_agent.politeness.cross_traffic import Moment, during
from mektep_wire import Reading

PERIOD_S = 0.5
SLEPT_S = 5.0
"""A pause of so long spoils a test; a shorter one may be a busy computer."""


class Wakeful:
    """What was seen between the beginning and the end of a test."""

    def __init__(self, time: TimeSource, crossed: Callable[[], Crossed | None]) -> None:
        self._time = time
        self._crossed = crossed
        self._moments: list[Moment] = []
        self._begun_s = self._last_s = time.monotonic_s()
        self._begun_awake_s = asyncio.get_running_loop().time()
        self._longest_pause_s = 0.0

    def look(self) -> None:
        """Look once."""
        at_s = self._time.monotonic_s()
        # Some systems stop the loop's clock while the computer sleeps, on others only the pause itself shows.
        self._longest_pause_s = max(self._longest_pause_s, at_s - self._last_s)
        self._last_s = at_s
        crossed = self._crossed()
        if crossed is not None:
            self._moments.append(Moment(at_s=at_s, crossed=crossed))

    @property
    def slept_s(self) -> float:
        """For how long the computer slept, or stood still; 0 where it did not for `SLEPT_S`."""
        unseen_s = self._last_s - self._begun_s - (asyncio.get_running_loop().time() - self._begun_awake_s)
        slept_s = max(unseen_s, self._longest_pause_s)
        return slept_s if slept_s > SLEPT_S else 0.0

    def cross_traffic_mbps(self, reading: Reading) -> float | None:
        """Return what others moved while `reading` was taken, or None where that is not known."""
        begin_s = reading.started_monotonic_s
        own_bytes = reading.bytes_sent + reading.bytes_received
        found = during(self._moments, begin_s, begin_s + reading.duration_s, own_bytes)
        return None if found is None else round(min(found, 100_000.0), 6)


@asynccontextmanager
async def wakeful(time: TimeSource, crossed: Callable[[], Crossed | None]) -> AsyncGenerator[Wakeful]:
    """Look around from the beginning to the end of the block, and once more at its end."""
    seen = Wakeful(time, crossed)
    seen.look()
    looking = asyncio.create_task(_look_on(seen))
    try:
        yield seen
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        seen.look()


async def _look_on(seen: Wakeful) -> None:
    while True:
        await asyncio.sleep(PERIOD_S)
        seen.look()
