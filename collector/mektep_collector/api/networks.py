"""What of a client's address is told apart from others, and what of it may be written down: its network."""

import ipaddress
from typing import Final

_NETWORK_BITS: Final = {4: 24, 6: 48}
_SITE_BITS: Final = {4: 32, 6: 64}


def network_of(host: str) -> str:
    """Return the network of a client's address: 24 bits of IPv4, 48 of IPv6; what is no address is taken as it is."""
    return _cut(host, _NETWORK_BITS)


def site_of(host: str) -> str:
    """Return what counts as one client: an IPv4 address, or 64 bits of an IPv6 one, for a site has more than it needs.

    It is kept in memory alone. What is no address is taken as it is.
    """
    return _cut(host, _SITE_BITS).removesuffix(f"/{_SITE_BITS[4]}")


def _cut(host: str, bits: dict[int, int]) -> str:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    # A socket for both families shows IPv4 as IPv6 (RFC 4291, 2.5.5.2): all of it would be one network otherwise.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    return str(ipaddress.ip_network((address, bits[address.version]), strict=False))
