"""Feeds a store from the journal, at the store's pace: a slow or dead store never slows acceptance."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from mektep_collector.journal.entry import Entry

_LOG = logging.getLogger(__name__)
_ENTRIES_COUNT = 32
_QUIET_S = 60.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_ROOM = 2.0
"""How much longer than a step it leaves to who waits for a page, before the next one."""


class FeedError(Exception):
    """Store and journal do not belong together."""


class Source(Protocol):
    """What the feeder needs of the journal."""

    def position(self) -> int:
        """Return the last entry's position, 0 for none."""
        ...

    def read(self, after_position: int, limit: int) -> Sequence[Entry]:
        """Return at most `limit` entries beyond `after_position`, in order."""
        ...

    async def wait_beyond(self, position: int, patience_s: float) -> bool:
        """Return True as soon as there is an entry beyond `position`, False when `patience_s` is over."""
        ...


class Sink(Protocol):
    """What the feeder needs of a store."""

    def position(self) -> int:
        """Return the position up to which it has taken in, 0 for none."""
        ...

    def put(self, entries: Sequence[Entry]) -> None:
        """Take in entries in the order of the journal, all or none of them."""
        ...


class Feeder:
    """Moves entries into one store. The cursor is the store's own position, so a restart goes on where it was.

    While `has_audience`, it works for a third of the time only.
    """

    def __init__(
        self, journal: Source, store: Sink, random: Random, has_audience: Callable[[], bool] = lambda: False
    ) -> None:
        self._journal = journal
        self._store = store
        self._random = random
        self._has_audience = has_audience
        self._failures_count = 0

    def lag(self) -> int:
        """Return how many entries the store has not taken in yet."""
        return max(0, self._journal.position() - self._store.position())

    def failures_count(self) -> int:
        """Return how often in a row feeding has failed, 0 when the last attempt went well."""
        return self._failures_count

    async def run(self) -> None:
        """Feed until cancelled. What goes wrong is logged and tried again, after pauses that grow up to a minute."""
        while True:
            try:
                await self.catch_up()
                self._failures_count = 0
                await self._journal.wait_beyond(self._store.position(), _QUIET_S)
            except Exception:  # noqa: BLE001 (the supervisor of the feeding: whatever it was, the journal waits)
                self._failures_count += 1
                pause_s = self._pause_s()
                _LOG.exception("store_not_fed", extra={"lag_entries": self.lag(), "next_attempt_s": round(pause_s, 1)})
                await asyncio.sleep(pause_s)

    async def catch_up(self) -> None:
        """Feed all that the journal holds by now; raises FeedError, and what journal or store raise."""
        if self._store.position() > self._journal.position():
            raise FeedError(
                f"the store has taken in entry {self._store.position()}, but the journal ends at "
                f"{self._journal.position()}: the journal is another or an older one; set the store's directory "
                "or InfluxDB's database aside, and it is made again from the journal"
            )
        loop = asyncio.get_running_loop()
        while self.lag():
            began_s = loop.time()
            await asyncio.to_thread(self._step)
            if self._has_audience():
                await asyncio.sleep(_ROOM * (loop.time() - began_s))

    def _step(self) -> None:
        self._store.put(self._journal.read(self._store.position(), _ENTRIES_COUNT))

    def _pause_s(self) -> float:
        """Return a pause at random (full jitter), so that several feeders do not ask a struggling disk in step."""
        longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures_count - 1, 10))
        return self._random.uniform(longest_s / 2, longest_s)
