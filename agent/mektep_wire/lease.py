"""Leases: one device at a time fills the line of a school.

A device asks before a throughput test and gives the lease back after it. The collector tells schools' lines apart by
school and network, and keeps no whole address. A collector that does not answer stops no test.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from mektep_wire.identifier import Identifier
from mektep_wire.reading import Seconds

MAX_LEASE_S = 300.0
LeaseSeconds = Annotated[float, msgspec.Meta(gt=0.0, le=MAX_LEASE_S)]


class LeaseState(StrEnum):
    """What was answered to who asked for the line."""

    GRANTED = "granted"
    """The line is the asker's until the lease ends or is given back."""
    OTHER_PROBER = "other_prober"
    """Another device of the school has the line."""


class LeaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Asks for the line for at most `for_s` seconds. Who has it already and asks again has it anew."""

    for_s: LeaseSeconds


class LeaseAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The answer. `lease_id` is given exactly when the line was granted; `ends_after_s` is when whose lease ends.

    `measured_before_s` is how long ago another device of the school finished a test on this line; None where none did
    within a day.
    """

    state: LeaseState
    ends_after_s: Annotated[float, msgspec.Meta(ge=0.0, le=MAX_LEASE_S)]
    lease_id: Identifier | None = None
    measured_before_s: Seconds | None = None

    def __post_init__(self) -> None:
        """Refuse a grant without a lease, and a lease without a grant."""
        if (self.lease_id is not None) is not (self.state is LeaseState.GRANTED):
            raise ValueError("`lease_id` is given exactly when `state` is `granted`")


class LeaseEnd(StrEnum):
    """Why a lease is given back."""

    MEASURED = "measured"
    """The test was made."""
    NOT_MEASURED = "not_measured"
    """The test failed or was not made: others of the school may still want to measure."""
