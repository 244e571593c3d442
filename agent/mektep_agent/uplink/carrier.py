"""The seam between what is sent and how it crosses the network.

Errors::

    CarrierError         the carrier itself is broken: a bug, or a program that cannot start; not trouble of the network
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from mektep_wire import FailureKind


class CarrierError(Exception):
    """The carrier is broken; the message holds what it last said."""


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """Readings to be made into one signed batch at the moment of sending."""

    batch_id: str
    boot_id: str
    readings: Sequence[msgspec.Raw]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back for one request: an HTTP answer, or the failure that stood in its way.

    `sent_at` and `sent_monotonic_s` are the clocks at sending, `rtt_s` the time until the answer began. `server_at` is
    the answer's Date. `retry_after_s` is counted from the answer, whichever way it was written (RFC 9110, 10.2.3).
    `content_bytes` are those of both bodies together. `peer` is the IP address that answered: a proxy's
    where one stands between.
    """

    sent_at: datetime
    sent_monotonic_s: float
    rtt_s: float
    status: int | None = None
    media_type: str = ""
    body: bytes = b""
    server_at: datetime | None = None
    retry_after_s: float | None = None
    failure: FailureKind | None = None
    detail: str = ""
    content_bytes: int = 0
    peer: str = ""


class NewsOutcome(StrEnum):
    """What came of asking for the assignment."""

    ADOPTED = "adopted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    UNREACHED = "unreached"


class News(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to asking for the assignment; an adopted one is on disk already."""

    outcome: NewsOutcome
    version: int = 0
    detail: str = ""


class RenewalOutcome(StrEnum):
    """What came of renewing the token. Whatever it was, the device has a token that is good."""

    NOT_DUE = "not_due"
    RENEWED = "renewed"
    REFUSED = "refused"
    UNREACHED = "unreached"
    NOT_KEPT = "not_kept"
    """The new one could not be written down, and is not used."""


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to having the token renewed; a new one is on disk already."""

    outcome: RenewalOutcome
    detail: str = ""


class Carrier(Protocol):
    """Carries requests to the collector, one at a time."""

    async def send(self, consignment: Consignment) -> Answer:
        """Sign and post one batch; trouble of the network is in the answer. Raises CarrierError."""
        ...

    async def fetch_assignment(self, current_version: int) -> News:
        """Ask for an assignment newer than `current_version`, check it, and keep it if it is good."""
        ...

    async def renew_token(self, at: datetime) -> Renewal:
        """Renew the device's token if it is due at `at`, by the collector's clock, and keep it. Raises CarrierError."""
        ...


class Carriers(Protocol):
    """Opens carriers."""

    def __call__(self) -> AbstractAsyncContextManager[Carrier]:
        """Open one for as long as there is something to carry; leaving the block closes it."""
        ...
