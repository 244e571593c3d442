"""UDP echo towards the collector's echo server: round trips and loss.

A probe is the wire's magic word, a nonce drawn for the run and a number. An answer counts once, if it comes from where
the probe went to and carries both; late, doubled and foreign datagrams do not count.
"""

import asyncio
from contextlib import suppress
from random import Random
from urllib.parse import urlsplit

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoPlan, EngineError
from mektep_agent.engines.failures import from_os_error
from mektep_agent.engines.resolve import Resolve, resolve
from mektep_agent.sample import EchoSample
from mektep_wire import VERSION, EngineName, FailureKind
from mektep_wire.echo import ECHO_MAGIC, ECHO_MAX_BYTES, ECHO_MIN_BYTES

DEFAULT_PORT = 8082
_NONCE_BYTES = 16
_NUMBER_BYTES = 8
_LOOKUP_TIMEOUT_S = 5.0


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
        self.turned_away = asyncio.Event()
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
            if self.missing_count == len(self.rtts_ms):
                self.turned_away.set()


class UdpEchoEngine:
    """Implements `EchoEngine`."""

    def __init__(self, time: TimeSource, random: Random, look_up: Resolve = resolve) -> None:
        self._time = time
        self._random = random
        self._look_up = look_up

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
        found = await self._look_up(host, port, _LOOKUP_TIMEOUT_S)
        for last, address in enumerate(found, start=1 - len(found)):
            try:
                transport, answers = await loop.create_datagram_endpoint(
                    lambda: _Answers(nonce, plan.probe_count, self._time), remote_addr=address.endpoint[:2]
                )
            except OSError as error:
                # A name with an address of a family that this computer has no route for has another.
                if not last:
                    raise from_os_error(error, target, FailureKind.NETWORK_UNREACHABLE) from None
            else:
                break
        try:
            return await self._exchange(transport, answers, target, plan, nonce)
        finally:
            transport.close()

    async def _exchange(
        self, transport: asyncio.DatagramTransport, answers: _Answers, target: str, plan: EchoPlan, nonce: bytes
    ) -> EchoSample:
        began_s = self._time.monotonic_s()
        size_bytes = min(max(plan.payload_bytes, ECHO_MIN_BYTES), ECHO_MAX_BYTES)
        sent_count = 0
        for number in range(plan.probe_count):
            probe = (ECHO_MAGIC + nonce + number.to_bytes(_NUMBER_BYTES, "big")).ljust(size_bytes, b"\0")
            answers.sent_s[number] = self._time.monotonic_s()
            transport.sendto(probe)
            sent_count += 1
            if number + 1 < plan.probe_count and await _happens(answers.turned_away, plan.spacing_s):
                break
        await _either(answers.complete, answers.turned_away, plan.timeout_s)
        sent_bytes = size_bytes * sent_count
        if all(rtt is None for rtt in answers.rtts_ms):
            if answers.error is not None:
                refusal = from_os_error(answers.error, target, FailureKind.NO_ANSWER)
                raise EngineError(refusal.kind, refusal.detail, bytes_sent=sent_bytes)
            raise EngineError(
                FailureKind.NO_ANSWER, f"{target} answered none of {plan.probe_count} probes", bytes_sent=sent_bytes
            )
        return EchoSample(
            rtts_ms=tuple(answers.rtts_ms),
            duration_s=self._time.monotonic_s() - began_s,
            bytes_sent=sent_bytes,
            bytes_received=answers.received_bytes,
        )


async def _happens(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event, so long at most; say whether it came."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()


async def _either(one: asyncio.Event, other: asyncio.Event, timeout_s: float) -> None:
    """Wait for one of two events, so long at most."""
    waiting = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waiting:
            wait.cancel()
