"""Which network this computer is in, so that what was learnt of one line is not held against another.

It is told by a digest of interface, gateway and the gateway's hardware address, which stays on this computer: nothing
that could name a place or a person is kept or sent.
"""

from hashlib import blake2s
from pathlib import Path

from mektep_agent.link.gateway import Gateway, default_gateway

UNKNOWN_NETWORK = "unknown"
_NEIGHBOURS = Path("/proc/net/arp")


def network_of(gateway: Gateway | None, neighbours: str) -> str:
    """Return a network's name of 12 hex digits; `neighbours` is the text of /proc/net/arp, or empty.

    Two schools whose routers both are 192.168.0.1 differ by the hardware address where the system tells it.
    """
    if gateway is None:
        return UNKNOWN_NETWORK
    hardware = ""
    for line in neighbours.splitlines()[1:]:
        words = line.split()
        if len(words) >= 6 and (words[0], words[5]) == (gateway.address, gateway.interface):
            hardware = words[3]
    told = "\n".join((gateway.interface, gateway.address, hardware))
    return blake2s(told.encode(), digest_size=6).hexdigest()


def this_network() -> str:
    """Return the name of the network that the default route leads through; reads the system, sends nothing."""
    neighbours = _NEIGHBOURS.read_text("ascii", "replace") if _NEIGHBOURS.exists() else ""
    return network_of(default_gateway(), neighbours)
