"""What the engine and its child process say to each other: one order, then a line of JSON for each thing that happens.

The child is told to stop by the end of its standard input.
"""

import msgspec

from mektep_wire import Direction, FailureKind


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the child is to do, and what it may use."""

    mini_url: str
    direction: Direction
    streams_count: int
    duration_s: float
    timeout_s: float
    memory_bytes: int
    cpu_s: int


class Began(msgspec.Struct, frozen=True, tag="began"):
    """The transfer begins now; all before was looking for a server."""

    server: str


class Moved(msgspec.Struct, frozen=True, tag="moved"):
    """So many bytes had arrived in all, so long after the beginning."""

    elapsed_s: float
    total_bytes: int


class Ended(msgspec.Struct, frozen=True, tag="ended", kw_only=True):
    """It is over. What the connections carried in all, the search for a server too; None where no kernel tells."""

    sent_bytes: int | None
    received_bytes: int | None


class Failed(msgspec.Struct, frozen=True, tag="failed", kw_only=True):
    """It gave no value."""

    kind: FailureKind
    detail: str


Line = Began | Moved | Ended | Failed
