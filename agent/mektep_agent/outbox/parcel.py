"""What the outbox takes and gives.

Errors::

    OutboxError          the outbox cannot be used; the message says what to do
        OutboxFullError      no room could be made; the readings at hand are not kept
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec


class OutboxError(Exception):
    """An outbox that cannot be used; the message says what to do."""


class OutboxFullError(OutboxError):
    """Neither disk nor cap left room, even after the ballast was given up; the readings at hand are not kept."""


class Queued(msgspec.Struct, frozen=True):
    """One reading that waits, as the JSON that goes into a batch."""

    seq: int
    payload: bytes


class Parcel(msgspec.Struct, frozen=True):
    """Readings to send, in the order of their seq, and the outbox file that they come from by its birth id."""

    epoch: str
    queued: Sequence[Queued]


class Rejection(msgspec.Struct, frozen=True):
    """A reading that the collector will never take, and why."""

    seq: int
    field: str
    reason: str


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """How the outbox stands; the counts of what was dropped and rejected run since its birth."""

    epoch: str
    last_seq: int
    queued_count: int
    queued_bytes: int
    oldest_seq: int | None
    dead_count: int
    dropped_count: int
    file_bytes: int


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """A damaged outbox was put away under another name, and a new one begun."""

    file: str
    reason: str
    at: datetime
