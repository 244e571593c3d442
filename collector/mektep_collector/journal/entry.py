"""What the journal keeps and its readers get: readings as accepted, with a time that never changes again."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from mektep_wire import Reading


class TimeMethod(StrEnum):
    """How a reading's corrected time was found at its first acceptance."""

    SAME_BOOT = "same_boot"
    """Received time less the monotonic distance between reading and sending: no wall clock of the school is in it."""
    CLOCK_OFFSET = "clock_offset"
    """The reading's wall clock plus the offset seen at sending: another boot, so the clock may have jumped between."""
    QUARANTINED = "quarantined"
    """No method gave a time between the enrolment of the device and the receipt; kept, but in no statistic."""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """One reading as accepted: whose it is, and when it was made by the collector's clock."""

    reading: Reading
    device_id: str
    school_id: str
    at: datetime
    time_method: TimeMethod


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The readings that one batch brought, at one position of the journal. Positions rise by one without a gap."""

    position: int
    received_at: datetime
    accepted: Sequence[Accepted]
