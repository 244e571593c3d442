"""Times TCP connections (SYN to established) and closes each at once; the fall-back where UDP is closed."""

import asyncio
import socket
from urllib.parse import urlsplit

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoPlan, EngineError
from mektep_agent.engines.failures import from_os_error
from mektep_agent.engines.resolve import Address, Resolve, resolve
from mektep_agent.sample import EchoSample
from mektep_wire import VERSION, EngineName, FailureKind

_HANDSHAKE_BYTES = 3 * 60
"""What opening and closing one connection costs a direction at most, headers and all."""
_LOOKUP_TIMEOUT_S = 5.0
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def parse_target(target: str) -> tuple[str, int]:
    """Return host and port of `tcp://host:port` (or of a ws, wss, http, https address); raises ValueError."""
    parts = urlsplit(target)
    port = parts.port or _PORTS.get(parts.scheme)
    if not parts.hostname or port is None:
        raise ValueError(f"`{target}` must read tcp://host:port")
    return parts.hostname, port


class TcpConnectEngine:
    """Implements `EchoEngine`. A refused connection is an answer of the host, but not of the port: it is a failure."""

    def __init__(self, time: TimeSource, look_up: Resolve = resolve) -> None:
        self._time = time
        self._look_up = look_up

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.TCP_CONNECT

    def version(self) -> str:
        """Return the version of this distribution, whose code measures."""
        return VERSION

    def obstacle(self) -> str | None:
        """Return None: any program may open connections."""
        return None

    async def measure(self, target: str, plan: EchoPlan) -> EchoSample:
        """Open the plan's connections one after the other; raises EngineError where none could be opened."""
        try:
            host, port = parse_target(target)
        except ValueError as error:
            raise EngineError(FailureKind.PROTOCOL_ERROR, str(error)) from None
        addresses = list(await self._look_up(host, port, _LOOKUP_TIMEOUT_S))
        began_s = self._time.monotonic_s()
        rtts_ms: list[float | None] = []
        last: EngineError | None = None
        for number in range(plan.probe_count):
            try:
                rtts_ms.append(await self._open_first(addresses, plan.timeout_s))
            except OSError as error:
                last = from_os_error(error, target, FailureKind.CONNECT_TIMEOUT)
                rtts_ms.append(None)
                # The system has sent each SYN several times by now: more of the same would only take long.
                if last.kind is not FailureKind.CONNECT_TIMEOUT or all(rtt is None for rtt in rtts_ms):
                    break
            if number + 1 < plan.probe_count:
                await asyncio.sleep(plan.spacing_s)
        if last is not None and all(rtt is None for rtt in rtts_ms):
            raise last
        return EchoSample(
            rtts_ms=tuple(rtts_ms),
            duration_s=self._time.monotonic_s() - began_s,
            bytes_sent=len(rtts_ms) * _HANDSHAKE_BYTES,
            bytes_received=len(rtts_ms) * _HANDSHAKE_BYTES,
        )

    async def _open_first(self, addresses: list[Address], timeout_s: float) -> float:
        """Return the milliseconds of one connection, after dropping addresses that lead nowhere; raises OSError."""
        while True:
            try:
                return await self._open(addresses[0].family, addresses[0].endpoint, timeout_s)
            except OSError:
                # A name with an address of a family that this computer has no route for has another.
                if len(addresses) == 1:
                    raise
                del addresses[0]

    async def _open(self, family: int, where: tuple[object, ...], timeout_s: float) -> float:
        """Return the milliseconds that one connection took; raises OSError."""
        loop = asyncio.get_running_loop()
        with socket.socket(family, socket.SOCK_STREAM) as link:
            link.setblocking(False)
            began_s = self._time.monotonic_s()
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(link, where)
            return (self._time.monotonic_s() - began_s) * 1e3
