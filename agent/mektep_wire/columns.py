"""Readings on their way, by column: what a batch holds.

Five hundred readings of one computer say the same in most of their fields. By column each is said once, so a batch has
a third of the bytes of the same readings as objects, for a school's metered link, and a collector decodes it in a
quarter of the time. Nothing is lost: `pack` and `unpack` (`columnar.py`) are inverse.

A field that only some readings have travels in `rest`, as the JSON of those fields of a `Reading`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec

from mektep_wire.identifier import Identifier, Identifier7
from mektep_wire.metric import Metric
from mektep_wire.reading import (
    Access,
    Bytes,
    ClockStatus,
    Confidence,
    Count,
    Direction,
    EngineName,
    Method,
    Number,
    Origin,
    Outcome,
    Power,
    ProbeName,
    RateMbps,
    Seconds,
    Seq,
    Share,
    Slot,
    StopReason,
    TargetAddress,
    Trigger,
    Version,
    Vpn,
)

MAX_BATCH_READINGS = 500

T = TypeVar("T")
Index = Annotated[int, msgspec.Meta(ge=0, lt=MAX_BATCH_READINGS)]
"""A reading's place in its batch, from 0."""
_Some = msgspec.Meta(min_length=1, max_length=MAX_BATCH_READINGS)
_Many = msgspec.Meta(max_length=MAX_BATCH_READINGS)
Microseconds = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
"""Since 1970 in UTC; until 2255."""


class Coded(msgspec.Struct, Generic[T], gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A column of few different values: reading i has `table[at[i]]`; without `at`, all have `table[0]`."""

    table: Annotated[Sequence[T], _Some]
    at: Annotated[Sequence[Index], _Some] | None = None


class Series(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One metric: reading `at[k]` has `values[k]`, and where they are known the count and the interval at k.

    `at` ascends. `counts`, `lows`, `highs` and `confidence_ratio` are as long as `values`, with null where there is
    none.
    """

    at: Annotated[Sequence[Index], _Some]
    values: Annotated[Sequence[Number], _Some]
    counts: Annotated[Sequence[Count | None], _Some] | None = None
    lows: Annotated[Sequence[Number | None], _Some] | None = None
    highs: Annotated[Sequence[Number | None], _Some] | None = None
    confidence_ratio: Coded[Confidence | None] | None = None


class Rest(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True):
    """Fields of the reading at `at` that have no column, or whose column cannot say all, as a JSON object."""

    at: Index
    fields: msgspec.Raw


class Columns(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Readings in the order of a batch; the fields are those of `Reading`, of its `clock_` and of its `conditions_`.

    Every column is as long as `seq`. A column that is left out holds the field's default for all.
    """

    seq: Annotated[Sequence[Seq], _Some]
    id: Annotated[Sequence[Identifier7], _Some]
    started_us: Annotated[Sequence[Microseconds], _Some]
    started_monotonic_s: Annotated[Sequence[Seconds], _Some]
    duration_s: Annotated[Sequence[Seconds], _Some]
    epoch: Coded[Identifier]
    boot_id: Coded[Identifier]
    probe: Coded[ProbeName]
    engine: Coded[EngineName]
    engine_version: Coded[Version]
    target: Coded[TargetAddress]
    trigger: Coded[Trigger]
    outcome: Coded[Outcome]
    direction: Coded[Direction | None] | None = None
    method: Coded[Method | None] | None = None
    slot: Coded[Slot | None] | None = None
    stop_reason: Coded[StopReason | None] | None = None
    origin: Coded[Origin] | None = None
    bytes_sent: Annotated[Sequence[Bytes], _Some] | None = None
    bytes_received: Annotated[Sequence[Bytes], _Some] | None = None
    clock_status: Coded[ClockStatus] | None = None
    clock_offset_s: Annotated[Sequence[Number | None], _Some] | None = None
    clock_compared_s: Annotated[Sequence[Seconds | None], _Some] | None = None
    conditions_access: Coded[Access] | None = None
    conditions_power: Coded[Power] | None = None
    conditions_vpn: Coded[Vpn] | None = None
    conditions_cross_traffic_mbps: Annotated[Sequence[RateMbps | None], _Some] | None = None
    conditions_cpu_ratio: Annotated[Sequence[Share | None], _Some] | None = None
    metrics: Mapping[Metric, Series] = {}
    rest: Annotated[Sequence[Rest], _Many] = ()
