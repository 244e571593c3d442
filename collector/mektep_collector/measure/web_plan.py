"""What is to be done about a request over plain HTTP, and its answer's bytes; without I/O.

Nothing is ever compressed: the bytes are what is measured.
"""

from typing import Final

import msgspec

_REASONS: Final = {
    200: "OK",
    303: "See Other",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    411: "Length Required",
    413: "Content Too Large",
    503: "Service Unavailable",
}
Headers = tuple[tuple[str, str], ...]
NO_STORE: Final[Headers] = (("Cache-Control", "no-store, no-cache, no-transform, max-age=0"),)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole response. `headers` are beside Content-Type and Content-Length."""

    status: int = 200
    media_type: str = "text/plain; charset=utf-8"
    body: bytes = b""
    headers: Headers = NO_STORE


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """A download: `size_bytes` of random bytes, which fill the link."""

    size_bytes: int
    media_type: str
    headers: Headers = NO_STORE


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """An upload: a body of `size_bytes`, None for one in chunks, is taken in and counted, then `answer` goes back."""

    size_bytes: int | None
    answer: Answer


Plan = Answer | Fill | Take


def encode_head(status: int, media_type: str, size_bytes: int, headers: Headers, connection: str) -> bytes:
    """Return the response's head. `connection` is `keep-alive` or `close`."""
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        f"Content-Type: {media_type}",
        f"Content-Length: {size_bytes}",
        f"Connection: {connection}",
        "X-Content-Type-Options: nosniff",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
