"""What the daemon says to its courier: one order a line."""

from datetime import datetime

import msgspec

from mektep_agent.uplink.carrier import Consignment
from mektep_wire import LeaseEnd

READY = b"ready\n"


class SendOrder(msgspec.Struct, frozen=True, tag="send"):
    """Sign and post a batch; answered by an `Answer`."""

    consignment: Consignment


class FetchOrder(msgspec.Struct, frozen=True, tag="fetch"):
    """Ask for an assignment newer than this version; answered by `News`."""

    current_version: int


class RenewOrder(msgspec.Struct, frozen=True, tag="renew"):
    """Renew the token if it is due at this moment of the collector's clock; answered by a `Renewal`."""

    at: datetime


class AskLeaseOrder(msgspec.Struct, frozen=True, tag="ask_lease"):
    """Ask for the school's line; answered by an `Answer`."""

    for_s: float


class EndLeaseOrder(msgspec.Struct, frozen=True, tag="end_lease"):
    """Give the school's line back; answered by an `Answer`."""

    lease_id: str
    end: LeaseEnd


Order = SendOrder | FetchOrder | RenewOrder | AskLeaseOrder | EndLeaseOrder
