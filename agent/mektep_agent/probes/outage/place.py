"""Where beats and looks go: a host that is remembered by address, so that it can be reached while names cannot."""

import ipaddress
from collections.abc import Awaitable, Callable

from mektep_agent.engines.engine import EngineError
from mektep_wire import Seen

Resolve = Callable[[str, int, float], Awaitable[str]]
"""Returns one address of a name within so many seconds; raises EngineError of the DNS family."""
LOOKUP_BYTES = 400
"""A question for both families of addresses, and the answers, with headers."""


class Place:
    """One host and port. What its name led to last is kept."""

    def __init__(self, host: str, port: int, resolve: Resolve) -> None:
        self.host = host
        self.port = port
        self._resolve = resolve
        self.is_named = not _is_literal(host)
        self.address: str | None = None if self.is_named else host

    async def look_up(self, timeout_s: float) -> Seen:
        """Ask the resolver for the name, and remember what it says."""
        if not self.is_named:
            return Seen.ABSENT
        try:
            self.address = await self._resolve(self.host, self.port, timeout_s)
        except EngineError:
            return Seen.SILENT
        return Seen.ANSWERED

    def url(self, scheme: str) -> str | None:
        """Return `scheme://address:port`, None where no address is known."""
        if self.address is None:
            return None
        return (
            f"{scheme}://[{self.address}]:{self.port}"
            if ":" in self.address
            else f"{scheme}://{self.address}:{self.port}"
        )


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
