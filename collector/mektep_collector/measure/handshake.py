"""What a client's first request asks for, and the answer to it, without I/O (RFC 6455 section 4, NDT7 section 1).

Only two paths are a test. Anything else gets a short text that says what this server is, so that a person with a
browser, and a program that was given the wrong address, both learn what is wrong.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import parse_qsl

import msgspec

from mektep_collector.measure.request import Request, RequestError, parse_request
from mektep_collector.measure.specification import (
    DOWNLOAD_PATH,
    EARLY_EXIT_VALUE,
    MAX_QUERY_BYTES,
    SUBPROTOCOL,
    UPLOAD_PATH,
)
from mektep_wire import VERSION, Direction

_WEBSOCKET_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_DIRECTIONS = {DOWNLOAD_PATH: Direction.DOWNLOAD, UPLOAD_PATH: Direction.UPLOAD}
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    426: "Upgrade Required",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
_FRONT_PAGE = (
    f"Mektep Meter {VERSION}: a measuring server.\n\n"
    f"It speaks NDT7: WebSocket, subprotocol {SUBPROTOCOL},\non {DOWNLOAD_PATH} and {UPLOAD_PATH}.\n"
)


class Stop(StrEnum):
    """Whether a download ends before its time."""

    FULL_LENGTH = "full_length"
    EARLY_EXIT = "early_exit"


class Upgrade(msgspec.Struct, frozen=True):
    """A test is asked for; `answer` opens it."""

    direction: Direction
    stop: Stop
    answer: bytes


class Refusal(msgspec.Struct, frozen=True):
    """No test: `answer` is the whole response, after which the connection is closed."""

    status: int
    answer: bytes


def refuse(status: int, text: str, headers: Mapping[str, str] | None = None) -> Refusal:
    """Return a response of plain text that ends the connection."""
    body = text.encode()
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return Refusal(status, "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body)


class _RefusedError(Exception):
    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.refusal = refuse(status, text + "\n", headers)


def answer_request(head: bytes) -> Upgrade | Refusal:
    """Return what to do about a request; `head` is all of it, with the empty line at its end."""
    try:
        return _answer(head)
    except _RefusedError as refused:
        return refused.refusal


def _answer(head: bytes) -> Upgrade | Refusal:
    try:
        request = parse_request(head)
    except RequestError as error:
        raise _RefusedError(400, str(error)) from None
    if request.method != "GET":
        raise _RefusedError(405, f"{request.method} is not understood here; a test begins with GET.", {"Allow": "GET"})
    if request.path == "/":
        return refuse(200, _FRONT_PAGE)
    direction = _DIRECTIONS.get(request.path)
    if direction is None:
        raise _RefusedError(404, f"There is nothing here. Tests are on {DOWNLOAD_PATH} and {UPLOAD_PATH}.")
    key = _check_upgrade(request)
    stop = _check_query(request.query)
    accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_KEY_SUFFIX, usedforsecurity=False).digest()).decode()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
    ]
    return Upgrade(direction, stop, "\r\n".join(lines).encode("ascii") + b"\r\n\r\n")


def _check_upgrade(request: Request) -> bytes:
    headers = request.headers
    if "websocket" not in request.tokens("upgrade") or "upgrade" not in request.tokens("connection"):
        raise _RefusedError(
            426, "This is an NDT7 test: come with a WebSocket.", {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        )
    if headers.get("sec-websocket-version") != "13":
        raise _RefusedError(
            426, "Only version 13 of WebSocket is spoken.", {"Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        )
    if SUBPROTOCOL not in (name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")):
        raise _RefusedError(400, f"Ask for NDT7 with the header `Sec-WebSocket-Protocol: {SUBPROTOCOL}`.")
    key = headers.get("sec-websocket-key", "")
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != 16:
        raise _RefusedError(400, "Sec-WebSocket-Key must be 16 bytes in base64.")
    return key.encode("ascii")


def _check_query(query: str) -> Stop:
    if len(query) > MAX_QUERY_BYTES:
        raise _RefusedError(400, f"The query may have {MAX_QUERY_BYTES} bytes.")
    seen: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        shown = ascii(key[:64])
        if key in seen:
            raise _RefusedError(400, f"The query holds {shown} twice.")
        if not value:
            raise _RefusedError(400, f"The query holds {shown} without a value.")
        seen[key] = value
    if "early_exit" not in seen:
        return Stop.FULL_LENGTH
    if seen["early_exit"] != EARLY_EXIT_VALUE:
        raise _RefusedError(400, f"early_exit must be {EARLY_EXIT_VALUE}.")
    return Stop.EARLY_EXIT
