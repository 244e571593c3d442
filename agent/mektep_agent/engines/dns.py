"""Name resolution as this computer's programs do it: the system's resolver, with a deadline."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.failures import from_lookup_error
from mektep_agent.sample import LookupSample
from mektep_wire import VERSION, EngineName, FailureKind

_LOCAL_ENDINGS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")


def is_public_name(name: str) -> bool:
    """Tell whether `name` should resolve to a public address: it has a dot, is no literal, and no local ending."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return "." in name.strip(".") and not name.endswith(_LOCAL_ENDINGS)
    return False


def _is_global(address: str) -> bool:
    return ipaddress.ip_address(address).is_global


class DnsEngine:
    """Implements `LookupEngine`. `permits` tells which addresses public names may have: if not given, public ones."""

    def __init__(self, time: TimeSource, permits: Callable[[str], bool] = _is_global) -> None:
        self._time = time
        self._permits = permits

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.DNS

    def version(self) -> str:
        """Return the version of this distribution, whose code measures."""
        return VERSION

    def obstacle(self) -> str | None:
        """Return None: every system has a resolver."""
        return None

    async def measure(self, name: str, timeout_s: float) -> LookupSample:
        """Resolve `name`; raises EngineError with a kind of the DNS family."""
        began_s = self._time.monotonic_s()
        try:
            async with asyncio.timeout(timeout_s):
                found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except TimeoutError:
            raise EngineError(FailureKind.DNS_TIMEOUT, f"no resolver answered for {name} in {timeout_s:g} s") from None
        except socket.gaierror as error:
            raise from_lookup_error(error, name) from None
        except UnicodeError:
            raise EngineError(FailureKind.DNS_NXDOMAIN, f"{name[:80]!r} is no host name") from None
        took_ms = (self._time.monotonic_s() - began_s) * 1e3
        addresses = tuple(dict.fromkeys(str(where[0]).partition("%")[0] for *_, where in found))
        if is_public_name(name) and not any(self._permits(address) for address in addresses):
            shown = ", ".join(addresses[:3])
            raise EngineError(
                FailureKind.DNS_BOGUS, f"the resolver says that {name} is at {shown}, which is not public"
            )
        return LookupSample(lookup_ms=took_ms, addresses=addresses)
