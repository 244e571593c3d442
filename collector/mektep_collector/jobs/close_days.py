"""Closes the days of a store that keeps closed days apart, as they become due."""

import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

_LOG = logging.getLogger(__name__)


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


def close_due_days(store: ClosesDays, now: datetime) -> None:
    """Close what is due, one day after another. Raises what the store does; the days that are left wait."""
    store.tidy()
    for day in store.due_days(now):
        store.close_day(day)
        _LOG.info("day_closed", extra={"day": day.isoformat()})
