"""Whether a school still sends: silence is a state of its own, never "down"."""

from datetime import datetime, timedelta
from enum import StrEnum

SILENT_AFTER = timedelta(hours=72)
"""From Friday's last slot to Monday's first are 61 hours: a weekend alone makes no school silent."""


class Freshness(StrEnum):
    """State of a school's stream of readings."""

    LIVE = "live"
    SILENT = "silent"
    NEVER = "never"
    """Nothing has come yet."""


def freshness(last_reading_at: datetime | None, now: datetime) -> Freshness:
    """Return the state of a school whose newest reading was made at `last_reading_at`; both times aware."""
    if last_reading_at is None:
        return Freshness.NEVER
    return Freshness.SILENT if now - last_reading_at > SILENT_AFTER else Freshness.LIVE
