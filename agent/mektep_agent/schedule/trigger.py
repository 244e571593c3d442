"""APScheduler's trigger for the agenda: when the daemon is to look at it next."""

from collections.abc import Callable
from datetime import datetime

from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]


class AgendaTrigger(BaseTrigger):  # type: ignore[misc]
    """Fires at the agenda's next moment. `next_at` takes and returns the wall clock's time, aware."""

    def __init__(self, next_at: Callable[[datetime], datetime]) -> None:
        self._next_at = next_at

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next moment after `now`; what fired before does not matter, the agenda knows what was done."""
        return self._next_at(now)
