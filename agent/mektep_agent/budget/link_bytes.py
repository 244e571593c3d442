"""What a reading cost the line: its bytes as the probe counted them, with the headers that carried them.

Probes count what they handed over and took in. Each full TCP segment of 1448 bytes crosses the line as 1500, and about
every second one is acknowledged the other way with 52; small datagrams carry 28 bytes of headers on some 32 of their
own. So the count is a little above what an interface shows, never below.
"""

from mektep_wire import EngineName, ProbeName, Reading

BULK_RATIO = 1.06
"""Line bytes of a bulk transfer, both ways together, over the bytes it carried."""
PACKET_RATIO = 1.9
"""The same for probes of small packets."""
SETUP_BYTES = 1_200
"""Handshakes, look-ups and closing of one reading, counted by no probe."""
TLS_BYTES = 7_000
"""A TLS connection until the first byte of use: mostly the server's certificates."""
CONNECTION_BYTES = SETUP_BYTES + TLS_BYTES
"""A connection to the collector."""
HEADER_BYTES = 1_500
"""What stands around the bodies of an HTTP request and its answer."""


def on_the_line(reading: Reading) -> int:
    """Return the bytes that `reading` cost the line, sent and received together; 0 for what was not run."""
    if reading.skip is not None:
        return 0
    counted = reading.bytes_sent + reading.bytes_received
    ratio = BULK_RATIO if reading.probe is ProbeName.THROUGHPUT else PACKET_RATIO
    counts_tls = reading.engine is EngineName.HTTP
    setup = SETUP_BYTES + (TLS_BYTES if reading.target.startswith(("wss:", "https:")) and not counts_tls else 0)
    return int(counted * ratio) + setup


def of_exchange(content_bytes: int) -> int:
    """Return the bytes that a request to the collector and its answer cost the line, with the headers of both."""
    return int(content_bytes * BULK_RATIO) + HEADER_BYTES
