"""How long the uplink rests, and why."""

from enum import StrEnum

import msgspec

from mektep_agent.uplink.carrier import News, Renewal


class RestReason(StrEnum):
    """Why the uplink rests."""

    DELIVERED = "delivered"
    """All that could be sent was sent."""
    NOTHING_WAITS = "nothing_waits"
    """There was nothing to send."""
    TROUBLE = "trouble"
    """The network or the collector did not answer as it should; it will be tried again, for ever."""
    BARRED = "barred"
    """The collector refuses this device's batches; it will be tried again, slowly. A person should look."""
    REVOKED = "revoked"
    """The collector took this device off its list; it needs to be enrolled again. The readings stay."""


class Rest(msgspec.Struct, frozen=True):
    """At least `wait_s` until the next sending, for this reason.

    `news` of the assignment where it was asked for, `renewal` of the token where it was due.
    """

    reason: RestReason
    wait_s: float = 0.0
    detail: str = ""
    news: News | None = None
    renewal: Renewal | None = None
