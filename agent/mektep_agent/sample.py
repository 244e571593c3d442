"""What an engine hands over: observations, not verdicts (a sample of singletons, RFC 2330).

One place, `mektep_agent.statistics`, turns a sample into values, so that all engines mean the same by "throughput" and
a number can be computed again later.
"""

import msgspec

from mektep_wire import Direction, StopReason


class Point(msgspec.Struct, frozen=True, array_like=True):
    """Bytes that the receiving side had in order in all, `elapsed_s` after the test began.

    `segments_count` is how many TCP segments with data had reached its kernel by then, in whatever order: where one is
    lost, bytes stand still until it comes again, and segments go on. None where nobody tells.
    """

    elapsed_s: float
    total_bytes: int
    segments_count: int | None = None


class TcpCounters(msgspec.Struct, frozen=True, kw_only=True):
    """The sending kernel's last word on the connection (TCP_INFO); None where it said nothing.

    `receiver_limited_ratio` is the part of its busy time in which the receiver's window held it back.
    """

    min_rtt_ms: float | None = None
    bytes_acked: int | None = None
    bytes_sent: int | None = None
    bytes_retransmitted: int | None = None
    receiver_limited_ratio: float | None = None


class ThroughputSample(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer in one direction.

    `points` are of application bytes at the receiver: for an upload, as the server reported them. The elapsed times
    never go back; the last point is the end of the test. `bytes_sent` and `bytes_received` are what the transfer cost
    this computer's link, for the data budget; `streams_count` connections loaded it together.
    """

    direction: Direction
    points: tuple[Point, ...]
    duration_s: float
    bytes_sent: int
    bytes_received: int
    stop_reason: StopReason
    streams_count: int = 1
    tcp: TcpCounters = TcpCounters()


class EchoSample(msgspec.Struct, frozen=True, kw_only=True):
    """Round trips to one target: a time for each answered probe, in the order of sending, None for each lost one."""

    rtts_ms: tuple[float | None, ...]
    duration_s: float
    bytes_sent: int
    bytes_received: int


class LookupSample(msgspec.Struct, frozen=True, kw_only=True):
    """One name resolution: how long it took and which addresses came back."""

    lookup_ms: float
    addresses: tuple[str, ...]


class PageSample(msgspec.Struct, frozen=True, kw_only=True):
    """One small public page, fetched once over connections of its own.

    Look-up, connection and TLS are those of the address that was asked for, first byte and object those of the page
    that was reached in the end. Look-up and connection are None behind a proxy, which makes them in our place;
    `by_proxy` names it. `is_whole` tells whether the page ended before as much was read as is allowed.
    """

    dns_lookup_ms: float | None
    tcp_connect_ms: float | None
    tls_handshake_ms: float
    ttfb_ms: float
    small_object_ms: float
    status: int
    body_bytes: int
    is_whole: bool
    redirects_count: int
    by_proxy: str | None
    bytes_sent: int
    bytes_received: int
