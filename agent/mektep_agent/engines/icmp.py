"""ICMP echo (RFC 792, RFC 4443), towards this computer's own gateway.

Linux lets a program without rights send echo requests where `net.ipv4.ping_group_range` allows its group; otherwise a
raw socket takes the right to it. `obstacle()` says which is missing.
"""

import asyncio
import ipaddress
import socket
import struct
from random import Random

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EchoPlan, EngineError
from mektep_agent.engines.failures import from_os_error
from mektep_agent.sample import EchoSample
from mektep_wire import VERSION, EngineName, FailureKind

_NONCE_BYTES = 16
_HEADER_BYTES = 28
_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_PROTOCOL = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: getattr(socket, "IPPROTO_ICMPV6", 58)}


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def open_socket(family: socket.AddressFamily) -> socket.socket:
    """Return a socket for ICMP echo, the unprivileged kind first; raises OSError where neither is allowed."""
    try:
        return socket.socket(family, socket.SOCK_DGRAM, _PROTOCOL[family])
    except OSError:
        return socket.socket(family, socket.SOCK_RAW, _PROTOCOL[family])


class IcmpEngine:
    """Implements `EchoEngine`; the target is `icmp://address` or a bare address."""

    def __init__(self, time: TimeSource, random: Random) -> None:
        self._time = time
        self._random = random

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.ICMP

    def version(self) -> str:
        """Return the version of this distribution, whose code measures."""
        return VERSION

    def obstacle(self) -> str | None:
        """Return why this computer lets this program send no echo requests, or None."""
        try:
            open_socket(socket.AF_INET).close()
        except OSError as error:
            return (
                f"this program may not send ICMP echo requests ({error.strerror}): widen net.ipv4.ping_group_range "
                "to its group, or give it the right to raw sockets"
            )
        return None

    async def measure(self, target: str, plan: EchoPlan) -> EchoSample:
        """Send the plan's requests; raises EngineError where nothing could be sent or nothing at all came back."""
        address = target.removeprefix("icmp://")
        family = socket.AF_INET6 if ipaddress.ip_address(address.partition("%")[0]).version == 6 else socket.AF_INET
        try:
            link = open_socket(family)
        except OSError as error:
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, self.obstacle() or str(error)) from None
        began_s = self._time.monotonic_s()
        size_bytes = max(plan.payload_bytes, _NONCE_BYTES)
        with link:
            link.setblocking(False)
            nonce = self._random.randbytes(_NONCE_BYTES)
            rtts_ms: list[float | None] = []
            for number in range(plan.probe_count):
                try:
                    rtts_ms.append(
                        await self._probe(link, family, address, number, nonce.ljust(size_bytes, b"\0"), plan)
                    )
                except OSError as error:
                    raise from_os_error(error, f"gateway {address}", FailureKind.NETWORK_UNREACHABLE) from None
                if number + 1 < plan.probe_count:
                    await asyncio.sleep(plan.spacing_s)
        sent_bytes = (size_bytes + _HEADER_BYTES) * plan.probe_count
        answered_count = sum(rtt is not None for rtt in rtts_ms)
        if not answered_count:
            raise EngineError(
                FailureKind.NO_ANSWER, f"{address} answered none of {plan.probe_count} probes", bytes_sent=sent_bytes
            )
        return EchoSample(
            rtts_ms=tuple(rtts_ms),
            duration_s=self._time.monotonic_s() - began_s,
            bytes_sent=sent_bytes,
            bytes_received=(size_bytes + _HEADER_BYTES) * answered_count,
        )

    async def _probe(
        self,
        link: socket.socket,
        family: socket.AddressFamily,
        address: str,
        number: int,
        payload: bytes,
        plan: EchoPlan,
    ) -> float | None:
        """Return one round trip in ms, None when it did not come back in time; raises OSError."""
        loop = asyncio.get_running_loop()
        body = struct.pack("!HH", 0, number) + payload
        kind = _REQUEST[family]
        # The kernel writes the checksum of ICMPv6 and of unprivileged sockets itself; for raw IPv4 it is ours.
        head = struct.pack("!BBH", kind, 0, checksum(struct.pack("!BBH", kind, 0, 0) + body))
        sent_s = self._time.monotonic_s()
        await loop.sock_sendto(link, head + body, (address, 0))
        try:
            async with asyncio.timeout(plan.timeout_s):
                while True:
                    answer = await loop.sock_recv(link, 4_096)
                    if _is_answer(answer, family, number, payload):
                        return (self._time.monotonic_s() - sent_s) * 1e3
        except TimeoutError:
            return None


def _is_answer(packet: bytes, family: socket.AddressFamily, number: int, payload: bytes) -> bool:
    """Tell whether a packet, with or without its IPv4 header, answers the probe: the nonce and the number decide."""
    start = (packet[0] & 0x0F) * 4 if packet[:1] and packet[0] >> 4 == 4 and family is socket.AF_INET else 0
    echo = packet[start:]
    return (
        len(echo) >= 8 and echo[0] == _REPLY[family] and echo[6:8] == struct.pack("!H", number) and echo[8:] == payload
    )
