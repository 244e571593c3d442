"""What an agent posts, and what the collector answers: the fate of each reading.

The bytes of the request's body as it is sent, gzip or not, are what the device signs (`signature.py`). Readings
travel by column (`columns.py`) and stay encoded inside, so that a bad one does not take the good ones with it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

from mektep_wire.columns import MAX_BATCH_READINGS
from mektep_wire.identifier import Identifier, Identifier7, is_identifier, is_uuid7
from mektep_wire.reading import Aware, Seconds, Version

MAX_BATCH_BYTES = 1_048_576
"""Of the encoded batch before compression."""
MAX_BODY_BYTES = 262_144
"""Of the request's body as it crosses the wire."""

Text = Annotated[str, msgspec.Meta(max_length=500)]


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Readings of one device in the order of their `seq`, with the sender's two clocks at the moment of sending.

    `readings` is the JSON of `Columns`: `columnar.pack` makes it.
    """

    id: Identifier7
    device_id: Identifier
    agent_version: Version
    sent_at: Aware
    sent_monotonic_s: Seconds
    boot_id: Identifier
    readings: msgspec.Raw

    def __post_init__(self) -> None:
        """Refuse identifiers that are not UUIDs."""
        if not is_uuid7(self.id):
            raise ValueError("`id` must be a UUID of version 7 in lower case")
        if not (is_identifier(self.device_id) and is_identifier(self.boot_id)):
            raise ValueError("`device_id` and `boot_id` must be UUIDs in lower case")


class FateOutcome(StrEnum):
    """What became of a reading. A reading that a receipt does not name is the agent's to keep."""

    STORED = "stored"
    """On disk, counted once; the agent may forget it."""
    DUPLICATE = "duplicate"
    """Stored earlier; the agent may forget it."""
    REJECTED = "rejected"
    """Never to be sent again; the agent keeps it apart with the reason."""


class Fate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Fate of the reading at `index` (from 0) of the batch; `field` and `reason` say why one was rejected."""

    index: Annotated[int, msgspec.Meta(ge=0, lt=MAX_BATCH_READINGS)]
    outcome: FateOutcome
    field: Text | None = None
    reason: Text | None = None


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The collector's answer to a batch, given only once what it calls stored is on disk.

    `next_after_s` asks the agent to send no sooner; `assignment_version` tells it whether to fetch a new assignment.
    """

    batch_id: Identifier7
    received_at: Aware
    fates: Annotated[Sequence[Fate], msgspec.Meta(max_length=MAX_BATCH_READINGS)]
    next_after_s: Annotated[float, msgspec.Meta(ge=0.0, le=86_400.0)] | None = None
    assignment_version: Annotated[int, msgspec.Meta(ge=0)] = 0
