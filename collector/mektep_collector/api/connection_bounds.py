"""Bounds on what a connection may take before anything is known of who sends: a request's head comes whole and soon.

Without them a few programs that send a byte now and then hold every place that the server has (a slow loris). Behind
the head, `receive_body` bounds the body.
"""

import asyncio
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_DEADLINE_S: Final = 20.0
MAX_HEAD_BYTES: Final = 32_768
MAX_CONNECTIONS: Final = 16_384
_RETRY_S: Final = 30


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, which ends when a head is late or too long, or when there are too many connections.

    RFC 9110, 15.5.9 and 15.6.4; RFC 6585, 5.
    """

    head_deadline_s = HEAD_DEADLINE_S
    max_connections = MAX_CONNECTIONS

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 (uvicorn's own)
        super().__init__(*arguments, **named)
        self._head_bytes = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Take a connection in, or send it away where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._end(HTTPStatus.SERVICE_UNAVAILABLE, f"Retry-After: {_RETRY_S}\r\n")
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline with the connection."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; what came with a head's end counts no longer, whatever its length."""
        if self._late is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._late is not None and self._head_bytes > MAX_HEAD_BYTES:
            self._end(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin to wait for a head."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """Stop waiting."""
        self._head_is_here()
        self._head_bytes = 0
        if not self.transport.is_closing():
            super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_is_here()
        self._late = self.loop.call_later(self.head_deadline_s, self._end, HTTPStatus.REQUEST_TIMEOUT)

    def _head_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self, status: HTTPStatus, fields: str = "") -> None:
        if self.transport.is_closing():
            return
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\n{fields}Connection: close\r\nContent-Length: 0\r\n\r\n"
        self.transport.write(head.encode("ascii"))
        self.transport.close()
