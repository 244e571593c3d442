"""The server's addresses: resolved as this computer's programs do, but never waited for without an end."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from mektep_agent.engines.engine import EngineError
from mektep_wire import FailureKind

_LOCAL_NAMES: Final = ("localhost", ".localhost")
_NO_SUCH_NAME: Final = {socket.EAI_NONAME}


class Address(msgspec.Struct, frozen=True):
    """One place to connect to, as the socket module wants it."""

    family: socket.AddressFamily
    endpoint: tuple[str, int] | tuple[str, int, int, int]

    @property
    def host(self) -> str:
        """The IP address."""
        return self.endpoint[0]


Resolve = Callable[[str, int, float], Awaitable[tuple[Address, ...]]]
"""Looks up host and port within so many seconds, as `resolve` does."""


async def resolve(host: str, port: int, timeout_s: float) -> tuple[Address, ...]:
    """Return the addresses of `host` in the system's order of preference; raises EngineError of the DNS family.

    The system's resolver cannot be interrupted: where it outlives `timeout_s` or the caller, its thread ends by itself
    when it gives up, and holds nothing up meanwhile, not even the program's end.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[Address, ...] | OSError] = loop.create_future()

    def settle(found: tuple[Address, ...] | OSError) -> None:
        if not answer.done():
            answer.set_result(found)

    def look_up() -> None:
        found = _look_up(host, port)
        try:
            loop.call_soon_threadsafe(settle, found)
        except RuntimeError:
            return  # the loop has ended: nobody waits any more

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        async with asyncio.timeout(timeout_s):
            found = await answer
    except TimeoutError:
        detail = f"no resolver answered for {host} within {timeout_s:g} s"
        raise EngineError(FailureKind.DNS_TIMEOUT, detail) from None
    if isinstance(found, OSError):
        raise lookup_failure(host, found)
    return plausible(host, found)


def lookup_failure(host: str, error: OSError) -> EngineError:
    """Return what a failed resolution means."""
    detail = f"the name {host} could not be resolved: {error.strerror or error}"
    if not isinstance(error, socket.gaierror):
        return EngineError(FailureKind.DNS_ERROR, detail)
    if error.errno in _NO_SUCH_NAME:
        return EngineError(FailureKind.DNS_NXDOMAIN, detail)
    if error.errno == socket.EAI_AGAIN:
        return EngineError(FailureKind.DNS_TIMEOUT, detail)
    return EngineError(FailureKind.DNS_ERROR, detail)


def plausible(host: str, addresses: tuple[Address, ...]) -> tuple[Address, ...]:
    """Return the addresses that can be a server's; raises EngineError (DNS_BOGUS, DNS_ERROR) where none is.

    A public name (one with a dot) that leads to this very computer, to nowhere or to a group of computers is a lie of
    the resolver. Private addresses are let pass: a ministry's server may stand in the schools' own network, and if it
    is a portal that answers there, the handshake will tell.
    """
    if not addresses:
        raise EngineError(FailureKind.DNS_ERROR, f"the resolver gave no address for {host}")
    if not is_public_name(host):
        return addresses
    possible = tuple(address for address in addresses if _can_be_elsewhere(address.host))
    if not possible:
        shown = ", ".join(address.host for address in addresses[:4])
        raise EngineError(FailureKind.DNS_BOGUS, f"the resolver says that {host} is at {shown}, which cannot be")
    return possible


def is_public_name(host: str) -> bool:
    """Tell whether `host` is a name of the public tree: it has a dot, and is no literal address and no `localhost`."""
    return "." in host and not _is_literal(host) and not host.endswith(_LOCAL_NAMES)


def _look_up(host: str, port: int) -> tuple[Address, ...] | OSError:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    # Python built without IPv6 gives endpoints of another shape, with a number in front.
    addresses = [
        Address(family, endpoint)
        for family, _, _, _, endpoint in found
        if not isinstance(endpoint[0], int) and family in {socket.AF_INET, socket.AF_INET6}
    ]
    return tuple(dict.fromkeys(addresses))


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _can_be_elsewhere(host: str) -> bool:
    ip = ipaddress.ip_address(host)
    return not (ip.is_loopback or ip.is_unspecified or ip.is_multicast or ip.is_link_local or ip.is_reserved)
