"""The numbers of the NDT7 protocol (specification v0.11.0) and of WebSocket (RFC 6455) that our client keeps to.

What the specification leaves open follows M-Lab's own clients.
"""

from typing import Final

SUBPROTOCOL: Final = "net.measurementlab.ndt.v7"
DOWNLOAD_PATH: Final = "/ndt/v7/download"
UPLOAD_PATH: Final = "/ndt/v7/upload"

MAX_QUERY_BYTES: Final = 4_096

KILL_S: Final = 13.0
"""When either side may break off a test, counted from the end of the WebSocket handshake."""

FIRST_MESSAGE_BYTES: Final = 1 << 13
LARGEST_SENT_MESSAGE_BYTES: Final = 1 << 20
"""What M-Lab's server and Go client stop at; the specification allows 1<<24."""

SCALING_FRACTION: Final = 16
"""A message doubles in size, once a message, when it is at most this fraction of what was sent."""

LARGEST_RECEIVED_MESSAGE_BYTES: Final = 1 << 24
"""A receiver must take messages of this size."""

LARGEST_TEXT_BYTES: Final = 1 << 16
"""A measurement has 1 to 3 kB. A text message above this size is load in the wrong kind of message."""

MEASUREMENT_INTERVAL_S: Final = 0.25
"""How far apart our own measurements are; the specification allows ten a second."""
