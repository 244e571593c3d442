"""Which addresses may be measured: public ones, so that no assignment can turn an agent on the network it stands in.

Only the school's own gateway is let be. The check is made on what the resolver answered, right before connecting to
that very address, so a name that changes its mind gains nothing.
"""

import ipaddress
from collections.abc import Sequence

from mektep_agent.config import LocalTargets
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.resolve import Address
from mektep_wire import FailureKind

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LAST_32_BITS = 0xFFFF_FFFF


def allowed(
    host: str, addresses: Sequence[Address], gateway: str | None, local_targets: LocalTargets
) -> tuple[Address, ...]:
    """Return those of `addresses` that may be measured; raises EngineError (DNS_BOGUS) where none may."""
    if local_targets is LocalTargets.ALLOWED:
        return tuple(addresses)
    found = tuple(address for address in addresses if is_public(address.host) or address.host == gateway)
    if not found:
        shown = ", ".join(address.host for address in addresses[:4])
        raise EngineError(
            FailureKind.DNS_BOGUS, f"{host} is at {shown}, which is not a public address: it was not contacted"
        )
    return found


def is_public(address: str) -> bool:
    """Tell whether an IP address is a public unicast one, also where it carries an IPv4 address inside (RFC 4291)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & _LAST_32_BITS)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved
