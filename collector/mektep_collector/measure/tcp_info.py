"""What the kernel knows of a TCP connection: TCP_INFO and, for BBR, TCP_CC_INFO (Linux, `include/uapi/linux/tcp.h`).

Kernels grow the structure at its end: a field is reported when the kernel returned it, and left out otherwise.
"""

import socket
import struct
import sys
from typing import Final

import msgspec

_TCP_INFO_BYTES: Final = 256
_TCP_CC_INFO: Final = 26  # not in Python's socket module before 3.14
_UNKNOWN_U32: Final = 0xFFFF_FFFF

# Name in NDT7's JSON, offset, form. Rates and counts of 64 bits are read as signed, as ndt-server sends them: the
# kernel writes "no limit" as all ones, and clients keep these fields in signed integers.
_FIELDS: Final = (
    ("State", 0, "B"), ("CAState", 1, "B"), ("Retransmits", 2, "B"), ("Probes", 3, "B"), ("Backoff", 4, "B"),
    ("Options", 5, "B"), ("WScale", 6, "B"), ("AppLimited", 7, "B"), ("RTO", 8, "I"), ("ATO", 12, "I"),
    ("SndMSS", 16, "I"), ("RcvMSS", 20, "I"), ("Unacked", 24, "I"), ("Sacked", 28, "I"), ("Lost", 32, "I"),
    ("Retrans", 36, "I"), ("Fackets", 40, "I"), ("LastDataSent", 44, "I"), ("LastAckSent", 48, "I"),
    ("LastDataRecv", 52, "I"), ("LastAckRecv", 56, "I"), ("PMTU", 60, "I"), ("RcvSsThresh", 64, "I"),
    ("RTT", 68, "I"), ("RTTVar", 72, "I"), ("SndSsThresh", 76, "I"), ("SndCwnd", 80, "I"), ("AdvMSS", 84, "I"),
    ("Reordering", 88, "I"), ("RcvRTT", 92, "I"), ("RcvSpace", 96, "I"), ("TotalRetrans", 100, "I"),
    ("PacingRate", 104, "q"), ("MaxPacingRate", 112, "q"), ("BytesAcked", 120, "q"), ("BytesReceived", 128, "q"),
    ("SegsOut", 136, "I"), ("SegsIn", 140, "I"), ("NotsentBytes", 144, "I"), ("MinRTT", 148, "I"),
    ("DataSegsIn", 152, "I"), ("DataSegsOut", 156, "I"), ("DeliveryRate", 160, "q"), ("BusyTime", 168, "q"),
    ("RWndLimited", 176, "q"), ("SndBufLimited", 184, "q"), ("Delivered", 192, "I"), ("DeliveredCE", 196, "I"),
    ("BytesSent", 200, "q"), ("BytesRetrans", 208, "q"), ("DSackDups", 216, "I"), ("ReordSeen", 220, "I"),
    ("RcvOooPack", 224, "I"), ("SndWnd", 228, "I"),
)  # fmt: skip


class BbrState(msgspec.Struct, frozen=True):
    """BBR's own view of the path: bandwidth in bytes a second, least RTT in µs, gains times 256."""

    bandwidth_bytes_per_s: int
    min_rtt_us: int
    pacing_gain: int
    cwnd_gain: int


def parse_tcp_info(raw: bytes) -> dict[str, int]:
    """Return the fields that `raw` holds whole, by their name in NDT7's JSON; times are in µs, counts in bytes."""
    fields = {
        name: int(struct.unpack_from("=" + form, raw, offset)[0])
        for name, offset, form in _FIELDS
        if offset + struct.calcsize("=" + form) <= len(raw)
    }
    if fields.get("MinRTT") == _UNKNOWN_U32:
        del fields["MinRTT"]
    return fields


def parse_bbr_state(raw: bytes) -> BbrState | None:
    """Return what TCP_CC_INFO says under BBR, or None where it is too short to be BBR's."""
    if len(raw) < 20:
        return None
    low, high, min_rtt_us, pacing_gain, cwnd_gain = struct.unpack_from("=5I", raw)
    return BbrState((high << 32) | low, min_rtt_us, pacing_gain, cwnd_gain)


def read_tcp_info(connection: socket.socket) -> dict[str, int] | None:
    """Ask the kernel about `connection`; None where it does not tell (another system, a connection that is gone)."""
    if sys.platform != "linux":
        return None
    try:
        return parse_tcp_info(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES))
    except OSError:
        return None


def read_bbr_state(connection: socket.socket) -> BbrState | None:
    """Ask the kernel for BBR's state of `connection`; None where another algorithm drives it."""
    if sys.platform != "linux" or congestion_control(connection) != "bbr":
        return None
    try:
        return parse_bbr_state(connection.getsockopt(socket.IPPROTO_TCP, _TCP_CC_INFO, 20))
    except OSError:
        return None


def congestion_control(connection: socket.socket) -> str | None:
    """Return the name of the algorithm that drives what `connection` sends; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode("ascii")
    except OSError:
        return None
