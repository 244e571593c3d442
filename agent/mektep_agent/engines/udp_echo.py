"""UDP echo towards the collector's echo server: round trips and loss.

A probe is the wire's magic word, a nonce drawn for the run and a number. An answer counts once, if it comes from where
the probe went to and carries both; late, doubled and foreign datagrams do not count.
"""

import asyncio
import socket
from random import Random
from urllib.parse import urlsplit

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoPlan, EngineError
from mektep_agent.engines.failures import from_lookup_error, from_os_error
from mektep_agent.sample import EchoSample
from mektep_wire import VERSION, EngineName, FailureKind
from mektep_wire.echo import ECHO_MAGIC, ECHO_MAX_BYTES, ECHO_MIN_BYTES

DEFAULT_PORT = 8082
_NONCE_BYTES = 16
_NUMBER_BYTES = 8


def parse_target(target: str) -> tuple[str, int]:
    """Return host and port of `udp://host[:port]`; raises ValueError that says what is wrong."""
    parts = urlsplit(target)
    if parts.scheme != "udp" or not parts.hostname:
        raise ValueError(f"`{target}` must read udp://host:port")
    return parts.hostname, parts.port or DEFAULT_PORT


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, nonce: bytes, count: int, time: TimeSource) -> None:
        self.sent_s: list[float] = [0.0] * count
        self.rtts_ms: list[float | None] = [None] * count
        self.received_bytes = 0
        self.error: OSError | None = None
        self.missing_count = count
        self.complete = asyncio.Event()
        self._head = ECHO_MAGIC + nonce
        self._time = time

    def datagram_received(self, data: bytes, addr: object) -> None:
        arrived_s = self._time.monotonic_s()
        start = len(self._head)
        if not data.startswith(self._head) or len(data) < start + _NUMBER_BYTES:
            return
        number = int.from_bytes(data[start : start + _NUMBER_BYTES], "big")
        if number < len(self.rtts_ms) and self.rtts_ms[number] is None and self.sent_s[number]:
            self.rtts_ms[number] = (arrived_s - self.sent_s[number]) * 1e3
            self.received_bytes += len(data)
            self.missing_count -= 1
            if self.missing_count == 0:
                self.complete.set()

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self.error = exc


class UdpEchoEngine:
    """Implements `EchoEngine`."""

    def __init__(self, time: TimeSource, random: Random) -> None:
        self._time = time
        self._random = random

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.UDP_ECHO

    def version(self) -> str:
        """Return the version of this distribution, whose code measures."""
        return VERSION

    def obstacle(self) -> str | None:
        """Return None: any program may send datagrams."""
        return None

    async def measure(self, target: str, plan: EchoPlan) -> EchoSample:
        """Send the plan's probes; raises EngineError where nothing could be sent or nothing at all came back."""
        loop = asyncio.get_running_loop()
        try:
            host, port = parse_target(target)
        except ValueError as error:
            raise EngineError(FailureKind.PROTOCOL_ERROR, str(error)) from None
        nonce = self._random.randbytes(_NONCE_BYTES)
        try:
            async with asyncio.timeout(plan.timeout_s + 5.0):
                transport, answers = await loop.create_datagram_endpoint(
                    lambda: _Answers(nonce, plan.probe_count, self._time), remote_addr=(host, port)
                )
        except TimeoutError:
            raise EngineError(FailureKind.DNS_TIMEOUT, f"no resolver answered for {host}") from None
        except OSError as error:
            if isinstance(error, socket.gaierror):
                raise from_lookup_error(error, host) from None
            raise from_os_error(error, target, FailureKind.NETWORK_UNREACHABLE) from None
        try:
            return await self._exchange(transport, answers, target, plan, nonce)
        finally:
            transport.close()

    async def _exchange(
        self, transport: asyncio.DatagramTransport, answers: _Answers, target: str, plan: EchoPlan, nonce: bytes
    ) -> EchoSample:
        began_s = self._time.monotonic_s()
        size_bytes = min(max(plan.payload_bytes, ECHO_MIN_BYTES), ECHO_MAX_BYTES)
        for number in range(plan.probe_count):
            probe = (ECHO_MAGIC + nonce + number.to_bytes(_NUMBER_BYTES, "big")).ljust(size_bytes, b"\0")
            answers.sent_s[number] = self._time.monotonic_s()
            transport.sendto(probe)
            if number + 1 < plan.probe_count:
                await asyncio.sleep(plan.spacing_s)
        try:
            async with asyncio.timeout(plan.timeout_s):
                await answers.complete.wait()
        except TimeoutError:
            pass
        sent_bytes = size_bytes * plan.probe_count
        if all(rtt is None for rtt in answers.rtts_ms):
            if answers.error is not None:
                raise from_os_error(answers.error, target, FailureKind.NO_ANSWER)
            raise EngineError(
                FailureKind.NO_ANSWER, f"{target} answered none of {plan.probe_count} probes", bytes_sent=sent_bytes
            )
        return EchoSample(
            rtts_ms=tuple(answers.rtts_ms),
            duration_s=self._time.monotonic_s() - began_s,
            bytes_sent=sent_bytes,
            bytes_received=answers.received_bytes,
        )
