"""A request's head taken apart, without I/O (RFC 9112): the same for a test over WebSocket and for plain HTTP."""

from collections.abc import Mapping

import msgspec


class RequestError(ValueError):
    """The head is no request of HTTP/1.1; the message says why."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; header names are in lower case, and a header that came twice is joined by commas."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    def tokens(self, name: str) -> list[str]:
        """Return the comma-separated words of a header in lower case."""
        return [token.strip().lower() for token in self.headers.get(name, "").split(",")]


def looks_like_http(start: bytes) -> bool:
    """Say whether these first bytes may begin a request; anything else need not be waited for."""
    return start[:1].isalpha() and start[:1].isascii()


def parse_request(head: bytes) -> Request:
    """Return the request in `head`, which has the empty line at its end; raises RequestError."""
    lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1" or not words[1].startswith("/"):
        raise RequestError("The first line is no HTTP/1.1 request.")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise RequestError("A header line is not `Name: value`.")
        lowered = name.lower()
        headers[lowered] = f"{headers[lowered]}, {value.strip()}" if lowered in headers else value.strip()
    path, _, query = words[1].partition("?")
    return Request(method=words[0], path=path, query=query, headers=headers)
