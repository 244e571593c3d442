"""What an outage's reading says beside its begin and duration: the cause, and how well the times are known."""

from enum import StrEnum
from typing import Annotated

import msgspec

from mektep_wire.metric import METRICS, Metric

_LONGEST_S = METRICS[Metric.OUTAGE_DURATION_S].high
Length = Annotated[float, msgspec.Meta(ge=0.0, le=_LONGEST_S)]
Times = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class OutageCause(StrEnum):
    """Where an outage sat, as seen from the school's computer while it lasted."""

    POWER = "power"
    """The computer lost its power, or was switched off hard: it came up again with another boot."""
    AGENT_OFF = "agent_off"
    """The computer ran on, the agent did not."""
    LAN = "lan"
    """The school's own network: no interface, no route, or a gateway that answered before and does no more."""
    PROVIDER = "provider"
    """The school's gateway answers; nothing beyond it does."""
    DNS = "dns"
    """Addresses can be reached, names cannot be resolved."""
    SERVICE = "service"
    """The measuring server is away while others can be reached: the school's internet works."""
    UNKNOWN = "unknown"
    """Nothing answers, and what was seen does not tell where that begins."""


class Outage(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One outage, however often it was interrupted for less than the time after which a line counts as back.

    `school_s` is how much of it fell into school hours, where the agent knows them. The true begin may lie
    `begin_uncertainty_s` away from the reading's `started_at`, the true end `end_uncertainty_s` from the stated one: as
    far as the line was seen up and down. `returns_count` is how often it came back too shortly to count, `boots_count`
    how many boots of the computer the outage touched.
    """

    cause: OutageCause
    school_s: Length | None = None
    begin_uncertainty_s: Length = 0.0
    end_uncertainty_s: Length = 0.0
    returns_count: Times = 0
    boots_count: Times = 1
