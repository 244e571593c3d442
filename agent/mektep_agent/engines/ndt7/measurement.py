"""NDT7's measurement messages: one JSON object in a text message (section 2 of the specification).

What a server sends is a stranger's word: every field may be absent or absurd, and is judged before it is used.
"""

from typing import Final

import msgspec

from mektep_agent.sample import TcpCounters
from mektep_wire import Direction

_US_PER_S: Final = 1e6
_US_PER_MS: Final = 1e3
_MAX_RTT_US: Final = 600e6
_MAX_COUNT: Final = 10**13


class MeasurementError(Exception):
    """A text message is not a measurement; the message says why."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a server said: bytes and data segments that it had received by `elapsed_s`, and its kernel's counters."""

    elapsed_s: float | None = None
    received_bytes: int | None = None
    segments_count: int | None = None
    tcp: TcpCounters = TcpCounters()


def encode_measurement(direction: Direction, elapsed_s: float, payload_bytes: int) -> bytes:
    """Return our own measurement: what the application moved. ConnectionInfo is the server's to send."""
    return msgspec.json.encode(
        {
            "AppInfo": {"ElapsedTime": int(elapsed_s * _US_PER_S), "NumBytes": payload_bytes},
            "Origin": "client",
            "Test": direction.value,
        }
    )


def parse_report(payload: bytes) -> Report:
    """Return what a server's text message says; raises MeasurementError where it is no JSON object.

    The count of bytes is the kernel's (TCPInfo.BytesReceived) where it is given, since it does not wait for the
    server's program; else the application's (AppInfo.NumBytes). Each goes with the time beside it.
    """
    try:
        fields = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MeasurementError(f"a text message is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise MeasurementError("a text message is JSON, but no object")
    app, bbr, tcp = (_object(fields, name) for name in ("AppInfo", "BBRInfo", "TCPInfo"))
    elapsed_us, received_bytes = _count(tcp, "ElapsedTime"), _count(tcp, "BytesReceived")
    segments_count = _count(tcp, "DataSegsIn")
    if elapsed_us is None or received_bytes is None:
        segments_count = None
        elapsed_us, received_bytes = _count(app, "ElapsedTime"), _count(app, "NumBytes")
    is_known = elapsed_us is not None and received_bytes is not None
    return Report(
        elapsed_s=elapsed_us / _US_PER_S if is_known and elapsed_us is not None else None,
        received_bytes=received_bytes if is_known else None,
        segments_count=segments_count,
        tcp=_counters(tcp, bbr),
    )


def _counters(tcp: dict[str, object], bbr: dict[str, object]) -> TcpCounters:
    min_rtt_us = _count(tcp, "MinRTT") or _count(bbr, "MinRTT")
    sent_bytes, again_bytes = _count(tcp, "BytesSent"), _count(tcp, "BytesRetrans")
    if sent_bytes is None or again_bytes is None or again_bytes > sent_bytes:
        sent_bytes, again_bytes = None, None
    busy_us, held_us = _count(tcp, "BusyTime"), _count(tcp, "RWndLimited")
    is_told = busy_us is not None and held_us is not None and held_us <= busy_us
    return TcpCounters(
        min_rtt_ms=min_rtt_us / _US_PER_MS if min_rtt_us and min_rtt_us <= _MAX_RTT_US else None,
        bytes_acked=_count(tcp, "BytesAcked"),
        bytes_sent=sent_bytes,
        bytes_retransmitted=again_bytes,
        receiver_limited_ratio=held_us / busy_us if is_told and held_us is not None and busy_us else None,
    )


def _object(fields: dict[str, object], name: str) -> dict[str, object]:
    found = fields.get(name)
    return found if isinstance(found, dict) else {}


def _count(fields: dict[str, object], name: str) -> int | None:
    found = fields.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= _MAX_COUNT:
        return None
    return int(found)
