"""How a test ended, and how a connection that became no test was answered: closed lists, for counting."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a test ended."""

    COMPLETED = "completed"
    """It ran its whole time and was closed by both sides."""
    CLOSING_UNANSWERED = "closing_unanswered"
    """It ran its whole time, but the client, silent or still sending, did not answer the closing in time."""
    EARLY_EXIT = "early_exit"
    """The client had asked to stop at a number of bytes, and that number was reached."""
    CLIENT_CLOSED = "client_closed"
    """The client closed before the time was over, which NDT7 allows."""
    CONNECTION_LOST = "connection_lost"
    """The connection ended without a closing handshake."""
    TIMED_OUT = "timed_out"
    """The client took nothing any more, until the test was cut off."""
    PROTOCOL_ERROR = "protocol_error"
    """The client broke WebSocket or NDT7, and was told so."""


class Turned(StrEnum):
    """Why a connection became no test."""

    FRONT_PAGE = "front_page"
    REFUSED = "refused"
    BUSY = "busy"
    TIMED_OUT = "timed_out"
    CONNECTION_LOST = "connection_lost"
    TLS_FAILED = "tls_failed"
    NOT_HTTP = "not_http"
