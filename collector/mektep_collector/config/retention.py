"""How long each class of data is kept: pure.

Whole readings show how a figure came about, runs are what every statistic rests on, and the signed batches in the
journal prove both. A day is as old as its end (UTC).
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """For how many days each class is kept; None: for ever."""

    readings_days: int | None = None
    runs_days: int | None = None
    evidence_days: int | None = None

    def last_without_readings(self, now: datetime) -> date | None:
        """Return the last day of which only runs are kept at the aware time `now`, None where there is none."""
        return _last(now, self.readings_days)

    def last_without_runs(self, now: datetime) -> date | None:
        """Return the last day of which nothing is kept at the aware time `now`, None where there is none."""
        return _last(now, self.runs_days)

    def evidence_since(self, now: datetime) -> datetime | None:
        """Return from when on batches that were received are kept at the aware time `now`, None for all."""
        return now - timedelta(days=self.evidence_days) if self.evidence_days is not None else None


FOR_EVER: Final = Retention()
"""Nothing goes."""


def _last(now: datetime, kept_days: int | None) -> date | None:
    if kept_days is None:
        return None
    return now.astimezone(UTC).date() - timedelta(days=kept_days + 1)
