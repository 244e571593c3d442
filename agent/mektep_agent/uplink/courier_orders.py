"""What the daemon says to its courier: one order a line."""

import msgspec

from mektep_agent.uplink.carrier import Consignment

READY = b"ready\n"


class SendOrder(msgspec.Struct, frozen=True, tag="send"):
    """Sign and post a batch; answered by an `Answer`."""

    consignment: Consignment


class FetchOrder(msgspec.Struct, frozen=True, tag="fetch"):
    """Ask for an assignment newer than this version; answered by `News`."""

    current_version: int


Order = SendOrder | FetchOrder
