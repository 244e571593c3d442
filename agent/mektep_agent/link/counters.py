"""What crossed this computer's network interface so far: all programs together, as the system counts it."""

import msgspec
import psutil

from mektep_agent.link.gateway import default_gateway

_LOOPBACK_PREFIXES = ("lo", "loopback")


class Crossed(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes since the interface came up."""

    received_bytes: int
    sent_bytes: int


def crossed() -> Crossed | None:
    """Return the counters of the interface that leads to the gateway, or None where the system keeps none.

    Where the system does not say which interface that is, all but the loopback are taken together.
    """
    counters = psutil.net_io_counters(pernic=True)
    gateway = default_gateway()
    named = counters.get(gateway.interface) if gateway is not None else None
    if named is not None:
        return Crossed(received_bytes=named.bytes_recv, sent_bytes=named.bytes_sent)
    outer = [one for name, one in counters.items() if not name.lower().startswith(_LOOPBACK_PREFIXES)]
    if not outer:
        return None
    return Crossed(received_bytes=sum(one.bytes_recv for one in outer), sent_bytes=sum(one.bytes_sent for one in outer))
