"""Closes the days of a store that keeps closed days apart, as they become due."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from mektep_collector.clock import TimeSource

_LOG = logging.getLogger(__name__)
_PAUSE_S = 600.0


class ClosesDays(Protocol):
    """What the job needs of a store."""

    def due_days(self, now: datetime) -> Sequence[date]:
        """Return the days that may be closed at the aware time `now`, oldest first."""
        ...

    def close_day(self, day: date) -> object:
        """Close a day; blocks until it is done."""
        ...

    def tidy(self) -> None:
        """Clear away what a killed program left behind."""
        ...


class DayClosing:
    """The job: looks every ten minutes, closes what is due one day after another, and counts what went wrong."""

    def __init__(self, store: ClosesDays, time: TimeSource, pause_s: float = _PAUSE_S) -> None:
        self._store = store
        self._time = time
        self._pause_s = pause_s
        self._failures_count = 0

    def failures_count(self) -> int:
        """Return how often in a row a round has failed, 0 when the last one went well."""
        return self._failures_count

    async def run(self) -> None:
        """Close days until cancelled. What goes wrong is logged and tried again in the next round."""
        while True:
            try:
                await asyncio.to_thread(self._round)
                self._failures_count = 0
            except Exception:  # noqa: BLE001 (the supervisor: whatever it was, the day's readings stay where they were)
                self._failures_count += 1
                _LOG.exception("days_not_closed", extra={"next_attempt_s": self._pause_s})
            await asyncio.sleep(self._pause_s)

    def _round(self) -> None:
        self._store.tidy()
        self._close_due()

    def _close_due(self) -> None:
        for day in self._store.due_days(self._time.now()):
            self._store.close_day(day)
            _LOG.info("day_closed", extra={"day": day.isoformat()})
