"""What this computer's kernel knows of its own connection: TCP_INFO (Linux, `include/uapi/linux/tcp.h`).

Kernels grow the structure at its end: a field is there when the kernel returned it whole, and None otherwise. Other
systems tell nothing this way.
"""

import socket
import struct
import sys
from typing import Final

import msgspec

_TCP_INFO_BYTES: Final = 256
_UNKNOWN_U32: Final = 0xFFFF_FFFF


class KernelCounters(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of one connection, whose own side sends and receives them; segments count packets.

    `since_received_ms` is the time since the last data came, whether it was read or not.
    """

    min_rtt_us: int | None = None
    bytes_acked: int | None = None
    bytes_received: int | None = None
    bytes_sent: int | None = None
    bytes_retransmitted: int | None = None
    segments_sent: int | None = None
    segments_received: int | None = None
    data_segments_received: int | None = None
    since_received_ms: int | None = None


def parse_tcp_info(raw: bytes) -> KernelCounters:
    """Return the counters that `raw` holds whole."""
    min_rtt_us = _field(raw, 148, "=I")
    return KernelCounters(
        min_rtt_us=None if min_rtt_us == _UNKNOWN_U32 else min_rtt_us,
        bytes_acked=_field(raw, 120, "=Q"),
        bytes_received=_field(raw, 128, "=Q"),
        bytes_sent=_field(raw, 200, "=Q"),
        bytes_retransmitted=_field(raw, 208, "=Q"),
        segments_sent=_field(raw, 136, "=I"),
        segments_received=_field(raw, 140, "=I"),
        data_segments_received=_field(raw, 152, "=I"),
        since_received_ms=_field(raw, 52, "=I"),
    )


def read_tcp_info(connection: socket.socket) -> KernelCounters:
    """Ask the kernel about `connection`; without any counter where it does not tell."""
    if sys.platform != "linux":
        return KernelCounters()
    try:
        return parse_tcp_info(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES))
    except OSError:
        return KernelCounters()


def _field(raw: bytes, offset: int, form: str) -> int | None:
    if offset + struct.calcsize(form) > len(raw):
        return None
    return int(struct.unpack_from(form, raw, offset)[0])
