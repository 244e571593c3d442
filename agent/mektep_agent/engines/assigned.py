"""Where an assignment may point this computer: public addresses, and of others those that a person here has let be.

One rule for every engine that an assignment names a target for: the addresses that a target leads to are looked up
once, each is checked, and what is connected to is an address that was checked, so a name that changes its mind gains
nothing. A measurement by hand is its person's own choice and is not looked at (docs/decisions/0022).
"""

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from mektep_agent.config import LocalTargets
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.resolve import Address, Resolve, is_public_name, resolve
from mektep_agent.link.gateway import default_gateway
from mektep_wire import FailureKind

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_LAST_32_BITS: Final = 0xFFFF_FFFF
_INTRANETS: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""Private networks (RFC 1918, RFC 4193) and the shared space of providers (RFC 6598)."""
_SHOWN_COUNT: Final = 4
_INTRANET_ADVICE: Final = (
    'if it stands in the own network, set local_targets = "intranet" in the settings of this computer'
)
_ADVICE: Final = "no assignment may name it: ask the collector's operator to correct the target"


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has let be beyond public addresses: by a setting, and by enrolling with a collector.

    `collector_address` is the address that answered the enrolment; empty where it is not known.
    """

    local_targets: LocalTargets = LocalTargets.REFUSED
    collector_address: str = ""


def own_gateway() -> str | None:
    """Return the address of this computer's default gateway, None where there is none."""
    gateway = default_gateway()
    return gateway.address if gateway is not None else None


class AssignedTargets:
    """Looks up hosts that an assignment names. `gateway` and `look_up` are what the system says, unless handed in."""

    def __init__(
        self, reach: Reach, gateway: Callable[[], str | None] = own_gateway, look_up: Resolve = resolve
    ) -> None:
        self._reach = reach
        self._gateway = gateway
        self._look_up = look_up

    async def resolve(self, host: str, port: int, timeout_s: float) -> tuple[Address, ...]:
        """Return those addresses of `host` that may be connected to; raises EngineError."""
        return self.permitted(host, await self._look_up(host, port, timeout_s))

    def permitted(self, host: str, addresses: Sequence[Address]) -> tuple[Address, ...]:
        """Return those of `addresses` that may be connected to; raises EngineError where none may.

        The kind is DNS_BOGUS where the resolver said so of a public name, ENGINE_UNAVAILABLE where the assignment
        itself names what is no target for this computer.
        """
        found = tuple(address for address in addresses if self.permits(address.host))
        if found:
            return found
        shown = ", ".join(address.host for address in addresses[:_SHOWN_COUNT])
        advice = _INTRANET_ADVICE if any(_is_intranet(_plain(address.host)) for address in addresses) else _ADVICE
        raise EngineError(
            FailureKind.DNS_BOGUS if is_public_name(host) else FailureKind.ENGINE_UNAVAILABLE,
            f"{host} is at {shown}, which is not a public address: it was not contacted; {advice}",
        )

    def permits(self, address: str) -> bool:
        """Tell whether an IP address may be connected to."""
        if self._reach.local_targets is LocalTargets.ALLOWED:
            return True
        ip = _plain(address)
        if is_public(address) or (self._reach.local_targets is LocalTargets.INTRANET and _is_intranet(ip)):
            return True
        own = (self._reach.collector_address, self._gateway())
        return any(_plain(one) == ip for one in own if one)


def is_public(address: str) -> bool:
    """Tell whether an IP address is a public unicast one, also where it carries an IPv4 address inside (RFC 4291)."""
    ip = _plain(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local:
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _is_intranet(ip: _IP) -> bool:
    return any(ip in network for network in _INTRANETS)


def _plain(address: str) -> _IP:
    """Return an address without its interface, and the IPv4 address that one of IPv6 stands for where it does."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & _LAST_32_BITS)
        if inner is not None:
            return inner
    return ip
