"""The numbers of the NDT7 protocol (specification v0.11.0) and of WebSocket (RFC 6455) that our server keeps to.

What the specification leaves open follows M-Lab's ndt-server; where clients in the field are narrower than the
specification, the number is theirs and the comment names them.
"""

import msgspec

DOWNLOAD_PATH = "/ndt/v7/download"
UPLOAD_PATH = "/ndt/v7/upload"
SUBPROTOCOL = "net.measurementlab.ndt.v7"


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines of one connection; all waits together end by them. Tests hand in shorter ones."""

    runtime_s: float = 10.0
    """How long a test runs, from the end of the WebSocket handshake."""
    max_runtime_s: float = 13.0
    """When a test is cut off, closing handshake or not."""
    closing_timeout_s: float = 3.0
    """How long the client may take to answer a closing frame."""
    handshake_timeout_s: float = 7.0
    """How long TLS handshake and request together may take. M-Lab's Go client waits as long for the answer."""
    linger_s: float = 1.0
    """How long a client that was refused, or told of its fault, may take to read so."""


TICK_MEAN_S = 0.1
TICK_MIN_S = 0.025
TICK_MAX_S = 0.25
"""Measurements are sampled memorylessly, as ndt-server does, so that they cannot fall in step with the link.

They come as often as the specification allows, ten a second, where ndt-server sends four: what was said of an upload
by then is all that a client can stop a test on.
"""

FIRST_MESSAGE_BYTES = 1 << 13
LARGEST_SENT_MESSAGE_BYTES = 1 << 20
"""M-Lab's Go client refuses longer messages, though the specification allows 1<<24."""

SCALING_FRACTION = 64
"""A message doubles in size when it is at most this fraction of what was sent.

The specification proposes 16. Clients that count whole messages, as M-Lab's JavaScript client does, then miss up to a
sixteenth of the test at its end: 2 to 3 % on slow links. No client is served worse by smaller messages.
"""

LARGEST_RECEIVED_MESSAGE_BYTES = 1 << 24
"""The specification's limit. M-Lab's JavaScript client does send 1<<23."""

MAX_QUERY_BYTES = 4_096
MAX_REQUEST_HEAD_BYTES = 16_384

EARLY_EXIT_VALUE = "250"
EARLY_EXIT_BYTES = 250_000_000
"""`early_exit=250` on a download ends it at the first tick with so many acknowledged bytes; no other value exists."""
