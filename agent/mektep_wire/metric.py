"""The closed list of what Mektep Meter measures.

A metric's name carries its statistic and its unit, as in the registry of performance metrics (RFC 8911, RFC 8912).
Download and upload are seen from the school. A metric that names no statistic is the median of its observations.
"""

from enum import StrEnum

import msgspec


class Unit(StrEnum):
    """Units of the wire, written as they end a metric's name."""

    MBPS = "mbps"
    MS = "ms"
    S = "s"
    RATIO = "ratio"
    DBM = "dbm"
    RPM = "rpm"
    COUNT = "count"


class Metric(StrEnum):
    """Name of a measured quantity; `METRICS` holds the facts of each."""

    DOWNLOAD_THROUGHPUT_MBPS = "download_throughput_mbps"
    UPLOAD_THROUGHPUT_MBPS = "upload_throughput_mbps"
    DOWNLOAD_NDT7_MBPS = "download_ndt7_mbps"
    UPLOAD_NDT7_MBPS = "upload_ndt7_mbps"
    DOWNLOAD_FULL_LENGTH_MBPS = "download_full_length_mbps"
    UPLOAD_FULL_LENGTH_MBPS = "upload_full_length_mbps"
    IDLE_RTT_MS = "idle_rtt_ms"
    IDLE_RTT_MIN_MS = "idle_rtt_min_ms"
    IDLE_RTT_P95_MS = "idle_rtt_p95_ms"
    LOADED_RTT_MS = "loaded_rtt_ms"
    LOADED_RTT_P95_MS = "loaded_rtt_p95_ms"
    RTT_PDV_P95_MS = "rtt_pdv_p95_ms"
    PACKET_LOSS_RATIO = "packet_loss_ratio"
    LOADED_PACKET_LOSS_RATIO = "loaded_packet_loss_ratio"
    RETRANSMISSION_RATIO = "retransmission_ratio"
    RECEIVER_LIMITED_RATIO = "receiver_limited_ratio"
    RESPONSIVENESS_RPM = "responsiveness_rpm"
    DNS_LOOKUP_MS = "dns_lookup_ms"
    TCP_CONNECT_MS = "tcp_connect_ms"
    TLS_HANDSHAKE_MS = "tls_handshake_ms"
    TTFB_MS = "ttfb_ms"
    SMALL_OBJECT_MS = "small_object_ms"
    REDIRECTS_COUNT = "redirects_count"
    GATEWAY_RTT_MS = "gateway_rtt_ms"
    GATEWAY_LOSS_RATIO = "gateway_loss_ratio"
    WIFI_SIGNAL_DBM = "wifi_signal_dbm"
    LINK_SPEED_MBPS = "link_speed_mbps"
    OUTAGE_DURATION_S = "outage_duration_s"


class MetricFacts(msgspec.Struct, frozen=True):
    """Unit, plausible bounds (a value outside is refused) and meaning of one metric."""

    unit: Unit
    low: float
    high: float
    meaning: str


def _mbps(meaning: str) -> MetricFacts:
    return MetricFacts(Unit.MBPS, 0.0, 100_000.0, meaning)


def _ms(meaning: str) -> MetricFacts:
    return MetricFacts(Unit.MS, 0.0, 600_000.0, meaning)


def _ratio(meaning: str) -> MetricFacts:
    return MetricFacts(Unit.RATIO, 0.0, 1.0, meaning)


METRICS: dict[Metric, MetricFacts] = {
    Metric.DOWNLOAD_THROUGHPUT_MBPS: _mbps("Application bytes received over TCP a second, by the reading's method."),
    Metric.UPLOAD_THROUGHPUT_MBPS: _mbps(
        "Application bytes that reached the server over TCP a second, by the reading's method."
    ),
    Metric.DOWNLOAD_NDT7_MBPS: _mbps("Download as every NDT7 client states it: bytes over the whole time of the test."),
    Metric.UPLOAD_NDT7_MBPS: _mbps("Upload as every NDT7 client states it: bytes over the whole time of the test."),
    Metric.DOWNLOAD_FULL_LENGTH_MBPS: _mbps(
        "Download by the full-length method, of the same transfer whose shortened part gave the throughput: an audit."
    ),
    Metric.UPLOAD_FULL_LENGTH_MBPS: _mbps(
        "Upload by the full-length method, of the same transfer whose shortened part gave the throughput: an audit."
    ),
    Metric.IDLE_RTT_MS: _ms("Median round-trip time without load of ours (RFC 2681)."),
    Metric.IDLE_RTT_MIN_MS: _ms("Least round-trip time without load of ours."),
    Metric.IDLE_RTT_P95_MS: _ms("95th percentile of the round-trip times without load of ours."),
    Metric.LOADED_RTT_MS: _ms("Median round-trip time while a throughput test fills the link."),
    Metric.LOADED_RTT_P95_MS: _ms("95th percentile of the round-trip times while a throughput test fills the link."),
    Metric.RTT_PDV_P95_MS: _ms(
        "95th percentile of round-trip delay over the least one: packet delay variation (RFC 5481)."
    ),
    Metric.PACKET_LOSS_RATIO: _ratio("Share of echo packets that did not come back, without load of ours (RFC 6673)."),
    Metric.LOADED_PACKET_LOSS_RATIO: _ratio(
        "Share of echo packets that did not come back while a test fills the link."
    ),
    Metric.RETRANSMISSION_RATIO: _ratio(
        "Bytes that TCP sent again over bytes that it sent; not the path's packet loss."
    ),
    Metric.RECEIVER_LIMITED_RATIO: _ratio(
        "Part of a download's time in which this computer's receive window, and not the line, held the sender back."
    ),
    Metric.RESPONSIVENESS_RPM: MetricFacts(
        Unit.RPM, 0.0, 600_000.0, "Round trips a minute under load (draft-ietf-ippm-responsiveness)."
    ),
    Metric.DNS_LOOKUP_MS: _ms("Time for the system's resolver to answer for the target's name."),
    Metric.TCP_CONNECT_MS: _ms("Time from SYN to an established TCP connection."),
    Metric.TLS_HANDSHAKE_MS: _ms("Time from an established TCP connection to a finished TLS handshake."),
    Metric.TTFB_MS: _ms("Time from the request to the answer's first byte."),
    Metric.SMALL_OBJECT_MS: _ms(
        "Time from the request to the last byte of a small public page, or of the first 8192 bytes of a larger one."
    ),
    Metric.REDIRECTS_COUNT: MetricFacts(
        Unit.COUNT, 0.0, 10.0, "How often a platform sent the request on to another address of its own site."
    ),
    Metric.GATEWAY_RTT_MS: _ms("Median round-trip time to this computer's own default gateway."),
    Metric.GATEWAY_LOSS_RATIO: _ratio("Share of probes to this computer's own default gateway without an answer."),
    Metric.WIFI_SIGNAL_DBM: MetricFacts(Unit.DBM, -120.0, 0.0, "Received signal strength of the Wi-Fi in use."),
    Metric.LINK_SPEED_MBPS: _mbps("Rate that the network interface has negotiated."),
    Metric.OUTAGE_DURATION_S: MetricFacts(
        Unit.S, 0.0, 31_622_400.0, "Time from the first sign of an outage to its end."
    ),
}
"""Facts of every metric; the architecture tests hold the list complete."""
