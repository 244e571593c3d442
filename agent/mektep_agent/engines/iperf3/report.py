"""What iperf3 prints with `--json` (3.1 and later), as points; without I/O.

Only what the receiver counted is taken. In an upload the client's own intervals are bytes handed to the system, which
on a slow link lie in its buffers: they are left out. Where the server too runs with `--json`, its intervals are the
points; else the one total that it reports is.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from mektep_agent.engines.engine import EngineError
from mektep_agent.sample import Point, TcpCounters, ThroughputSample
from mektep_wire import Direction, FailureKind, StopReason

_INTERRUPTED: Final = "interrupt"
_SHORTEST_S: Final = 0.05
_HEADER_BYTES: Final = 52
_SEGMENT_BYTES: Final = 1_448
_SHOWN_LETTERS: Final = 200
_KINDS: Final = (
    ("connection refused", FailureKind.CONNECTION_REFUSED),
    ("server is busy", FailureKind.HANDSHAKE_REFUSED),
    ("timed out", FailureKind.CONNECT_TIMEOUT),
    ("no route to host", FailureKind.HOST_UNREACHABLE),
    ("network is unreachable", FailureKind.NETWORK_UNREACHABLE),
    ("cannot assign requested address", FailureKind.NO_INTERFACE),
    ("name or service", FailureKind.DNS_NXDOMAIN),
    ("name resolution", FailureKind.DNS_ERROR),
    ("reset by peer", FailureKind.CONNECTION_RESET),
    ("broken pipe", FailureKind.CONNECTION_RESET),
    ("control socket has closed", FailureKind.CLOSED_EARLY),
    ("server has terminated", FailureKind.CLOSED_EARLY),
    ("access denied", FailureKind.HANDSHAKE_REFUSED),
    ("authorization failed", FailureKind.HANDSHAKE_REFUSED),
)


class _Sum(msgspec.Struct, frozen=True):
    end: float = 0.0
    bytes: int = 0
    omitted: bool = False
    retransmits: int | None = None


class _Sender(msgspec.Struct, frozen=True):
    min_rtt: int | None = None


class _Stream(msgspec.Struct, frozen=True):
    sender: _Sender | None = None


class _Interval(msgspec.Struct, frozen=True):
    sum: _Sum | None = None


class _End(msgspec.Struct, frozen=True):
    streams: tuple[_Stream, ...] = ()
    sum_sent: _Sum | None = None
    sum_received: _Sum | None = None


class _Server(msgspec.Struct, frozen=True):
    intervals: tuple[_Interval, ...] = ()


class _Report(msgspec.Struct, frozen=True):
    intervals: tuple[_Interval, ...] = ()
    end: _End = _End()
    error: str = ""
    server_output_json: _Server | None = None


def read_report(printed: bytes, direction: Direction) -> ThroughputSample:
    """Return the sample that the program's JSON holds; raises EngineError, of the kind that its own words name.

    A program that was interrupted still says what a download received; of an upload it then knows nothing.
    """
    try:
        report = msgspec.json.decode(printed, type=_Report)
    except msgspec.DecodeError as error:
        raise EngineError(FailureKind.PROTOCOL_ERROR, f"iperf3 printed no report that can be read: {error}") from None
    if report.error and not (report.error.startswith(_INTERRUPTED) and direction is Direction.DOWNLOAD):
        raise failure(report.error)
    received = report.end.sum_received or _Sum()
    if direction is Direction.DOWNLOAD:
        points = _points(report.intervals)
    else:
        points = _points(report.server_output_json.intervals) if report.server_output_json else ()
    points = points or (Point(received.end, received.bytes),)
    if points[-1].elapsed_s <= 0 or points[-1].total_bytes <= 0:
        raise EngineError(FailureKind.STALLED, "iperf3 reports that nothing arrived")
    moved_bytes = max(points[-1].total_bytes, report.end.sum_sent.bytes if report.end.sum_sent else 0)
    out_bytes, in_bytes = _link_bytes(moved_bytes), _link_bytes_back(moved_bytes)
    is_upload = direction is Direction.UPLOAD
    rtts_us = [one.sender.min_rtt for one in report.end.streams if one.sender is not None and one.sender.min_rtt]
    return ThroughputSample(
        direction=direction,
        points=points,
        duration_s=points[-1].elapsed_s,
        bytes_sent=out_bytes if is_upload else in_bytes,
        bytes_received=in_bytes if is_upload else out_bytes,
        stop_reason=StopReason.FULL_LENGTH,
        tcp=TcpCounters(min_rtt_ms=min(rtts_us) / 1e3 if rtts_us and is_upload else None),
    )


def failure(words: str) -> EngineError:
    """Return what iperf3's own words about a failure mean."""
    said = "".join(sign if sign.isprintable() else " " for sign in words)[:_SHOWN_LETTERS].strip()
    lowered = words.lower()
    kind = next((kind for part, kind in _KINDS if part in lowered), FailureKind.PROTOCOL_ERROR)
    return EngineError(kind, f"iperf3: {said}")


def _points(intervals: Sequence[_Interval]) -> tuple[Point, ...]:
    points: list[Point] = []
    total_bytes = 0
    for interval in intervals:
        part = interval.sum
        if part is None or part.omitted:
            continue
        total_bytes += part.bytes
        point = Point(part.end, total_bytes)
        # The last interval is what is left of the time, often less than a millisecond: no rate can be had from it.
        if points and point.elapsed_s - points[-1].elapsed_s < _SHORTEST_S:
            points[-1] = Point(max(point.elapsed_s, points[-1].elapsed_s), total_bytes)
        else:
            points.append(point)
    return tuple(points)


def _link_bytes(payload_bytes: int) -> int:
    """Return about what the loaded direction cost, headers of full packets included."""
    return payload_bytes + _HEADER_BYTES * (payload_bytes // _SEGMENT_BYTES + 1)


def _link_bytes_back(payload_bytes: int) -> int:
    """Return about what the acknowledgements cost: one for every second packet."""
    return _HEADER_BYTES * (payload_bytes // _SEGMENT_BYTES // 2 + 1)
