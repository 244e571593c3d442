"""Round trips to the routers on the way, by packets that live for so many hops (RFC 792, RFC 4443: time exceeded).

Linux hands a program without rights the ICMP answers to its own datagrams (IP_RECVERR). Other systems do not, and there
`obstacle()` says so. Routers answer few such packets a second: a lost answer says nothing, a late one does.
"""

import asyncio
import ipaddress
import socket
import struct
import sys

import msgspec

from mektep_agent.clock import TimeSource

PACKET_BYTES = 60
"""What one probe costs the link each way, about: 32 bytes of payload with headers, and an answer of the like."""
_PAYLOAD = bytes(32)
_FIRST_PORT = 33_434
"""Where traceroute knocks: no program listens there."""
# The socket module knows these on Linux alone, and not all of them there.
_IP_RECVERR, _IPV6_RECVERR, _MSG_ERRQUEUE = 11, 25, 0x2000
_ERROR = struct.Struct("=IBBBB")
# The sender's sockaddr stands behind the 16 bytes of the error.
_OFFENDER = {socket.AF_INET: (20, 4), socket.AF_INET6: (24, 16)}
_FROM_ICMP, _FROM_ICMP6 = 2, 3
_TIME_EXCEEDED = {_FROM_ICMP: 11, _FROM_ICMP6: 3}


class HopAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: after how long, from which address, and whether that is the target itself."""

    rtt_ms: float
    address: str
    is_target: bool


class HopEngine:
    """Asks the router at a distance."""

    def __init__(self, time: TimeSource) -> None:
        self._time = time

    def obstacle(self) -> str | None:
        """Return why this computer tells a program nothing of the routers on the way, or None."""
        return None if sys.platform == "linux" else "this system hands ICMP answers to administrators alone"

    async def measure(self, address: str, hops_count: int, timeout_s: float) -> HopAnswer | None:
        """Send one packet that lives for `hops_count` hops; None where nothing came back, or it could not be sent."""
        version = ipaddress.ip_address(address.partition("%")[0]).version
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as link:
            link.setblocking(False)
            if family is socket.AF_INET6:
                link.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops_count)
                link.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
            else:
                link.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops_count)
                link.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
            sent_s = self._time.monotonic_s()
            try:
                link.connect((address, _FIRST_PORT + hops_count))
                link.send(_PAYLOAD)
            except OSError:
                return None
            return await self._answer(link, sent_s, timeout_s)

    async def _answer(self, link: socket.socket, sent_s: float, timeout_s: float) -> HopAnswer | None:
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        loop.add_reader(link, came.set)
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    await came.wait()
                    came.clear()
                    rtt_ms = (self._time.monotonic_s() - sent_s) * 1e3
                    told = _queued_answer(link)
                    if told is not None:
                        return HopAnswer(rtt_ms=rtt_ms, address=told[0], is_target=told[1])
        except TimeoutError:
            return None
        finally:
            loop.remove_reader(link)


def _queued_answer(link: socket.socket) -> tuple[str, bool] | None:
    """Return who sent the ICMP answer that the kernel kept for us, and whether that is the target; None without one."""
    try:
        _, notes, _, _ = link.recvmsg(512, 512, _MSG_ERRQUEUE)
    except OSError:
        return None
    for level, kind, data in notes:
        if (level, kind) not in {(socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)}:
            continue
        _, origin, icmp_type, _, _ = _ERROR.unpack_from(data)
        if origin in _TIME_EXCEEDED:
            family = socket.AF_INET6 if origin == _FROM_ICMP6 else socket.AF_INET
            start, size = _OFFENDER[family]
            sender = socket.inet_ntop(family, data[start : start + size])
            return sender, icmp_type != _TIME_EXCEEDED[origin]
    return None
