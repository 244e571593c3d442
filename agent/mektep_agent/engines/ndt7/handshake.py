"""The request that opens a test, and the judgement of its answer, without I/O (RFC 6455 section 4, NDT7 section 1)."""

import base64
import hashlib
import platform
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.ndt7.specification import DOWNLOAD_PATH, MAX_QUERY_BYTES, SUBPROTOCOL, UPLOAD_PATH
from mektep_agent.engines.ndt7.target import Target, TargetError
from mektep_wire import VERSION, Direction, FailureKind

MAX_ANSWER_HEAD_BYTES: Final = 16_384
KEY_BYTES: Final = 16
CLIENT_NAME: Final = "mektep-agent"
_LIBRARY_NAME: Final = "mektep-meter-ndt7"
_KEY_SUFFIX: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PATHS: Final = {Direction.DOWNLOAD: DOWNLOAD_PATH, Direction.UPLOAD: UPLOAD_PATH}
_SHOWN_LETTERS: Final = 100


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What the server is told of this client, in its query and its User-Agent: software, never a person or a school."""

    name: str = CLIENT_NAME
    version: str = VERSION

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return NDT7's client metadata; a key whose value is not known is left out, as the specification wants."""
        known = (
            ("client_name", self.name),
            ("client_version", self.version),
            ("client_os", platform.system().lower()),
            ("client_arch", platform.machine().lower()),
            ("client_library_name", _LIBRARY_NAME),
            ("client_library_version", VERSION),
        )
        return tuple((key, value) for key, value in known if value)

    def user_agent(self) -> str:
        """Return the User-Agent header's value."""
        return f"{self.name}/{self.version} {_LIBRARY_NAME}/{VERSION}"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The head of an HTTP response; header names are in lower case."""

    status: int
    reason: str
    headers: dict[str, str]

    def tokens(self, name: str) -> set[str]:
        """Return the members of a header that is a list, in lower case."""
        return {token.strip().lower() for token in self.headers.get(name, "").split(",") if token.strip()}


def upgrade_request(target: Target, direction: Direction, client: Client, key: bytes) -> bytes:
    """Return the request that asks `target` for a test; raises TargetError where the query gets too long.

    `key` is 16 random bytes. What the address brought along in its query has precedence over our metadata.
    """
    given = {name for name, _ in target.query}
    own = tuple((name, value) for name, value in client.metadata() if name not in given)
    query = urlencode(target.query + own, quote_via=quote)
    if len(query) > MAX_QUERY_BYTES:
        raise TargetError(f"the address's query has {len(query)} bytes with ours; NDT7 allows {MAX_QUERY_BYTES}")
    lines = (
        f"GET {_PATHS[direction]}?{query} HTTP/1.1",
        f"Host: {target.authority}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(key).decode()}",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
        f"User-Agent: {client.user_agent()}",
    )
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n"


def looks_like_http(start: bytes) -> bool:
    """Say whether these first bytes may begin a response; anything else need not be waited for."""
    return start.startswith(b"HTTP/1.") if len(start) >= 7 else b"HTTP/1.".startswith(start)


def parse_answer(head: bytes) -> Answer:
    """Return the response whose head, up to its empty line, is `head`; raises EngineError (PROTOCOL_ERROR)."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    code, _, reason = rest.partition(" ")
    if not version.startswith("HTTP/1.") or len(code) != 3 or not (code.isascii() and code.isdigit()):
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server's answer is not HTTP/1.1; is this an NDT7 server?")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            lowered = name.strip().lower()
            headers[lowered] = f"{headers[lowered]}, {value.strip()}" if lowered in headers else value.strip()
    return Answer(status=int(code), reason=_shown(reason), headers=headers)


def check_answer(answer: Answer, target: Target, key: bytes) -> None:
    """Return if `answer` opens an NDT7 test on `target`; else raises EngineError with the kind of who answered."""
    if answer.status != 101:
        raise _refusal(answer, target)
    if "websocket" not in answer.tokens("upgrade") or "upgrade" not in answer.tokens("connection"):
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server answered 101 without switching to WebSocket")
    expected = base64.b64encode(
        hashlib.sha1(base64.b64encode(key) + _KEY_SUFFIX, usedforsecurity=False).digest()
    ).decode()
    if answer.headers.get("sec-websocket-accept") != expected:
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server's Sec-WebSocket-Accept is not the one for our key")
    if answer.headers.get("sec-websocket-protocol") != SUBPROTOCOL:
        raise EngineError(
            FailureKind.PROTOCOL_ERROR, f"the server speaks WebSocket, but did not agree to NDT7 ({SUBPROTOCOL})"
        )
    if answer.tokens("sec-websocket-extensions"):
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server uses a WebSocket extension that was not offered")


def _refusal(answer: Answer, target: Target) -> EngineError:
    said = f"HTTP {answer.status} {answer.reason}".rstrip()
    if answer.status == 407:
        return EngineError(FailureKind.PROXY_ERROR, f"a proxy asks for credentials ({said})")
    if answer.status == 511:
        return EngineError(FailureKind.CAPTIVE_PORTAL, f"the network wants a login first ({said})")
    if 300 <= answer.status < 400:
        return _redirection(answer, target, said)
    if answer.status == 204:
        return EngineError(FailureKind.HANDSHAKE_REFUSED, f"the server has no room for a test now ({said})")
    if 200 <= answer.status < 300:
        kind = answer.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
        if kind in {"text/html", "application/xhtml+xml"}:
            return EngineError(
                FailureKind.CAPTIVE_PORTAL, f"a web page came instead of a test ({said}); log in, or ask why"
            )
        return EngineError(FailureKind.PROTOCOL_ERROR, f"the target speaks HTTP, but not NDT7 ({said}, {_shown(kind)})")
    if "retry-after" in answer.headers:
        said += f"; come again after {_shown(answer.headers['retry-after'])} s"
    return EngineError(FailureKind.HANDSHAKE_REFUSED, f"the server refused the test ({said})")


def _redirection(answer: Answer, target: Target, said: str) -> EngineError:
    location = answer.headers.get("location", "")
    try:
        host = urlsplit(location).hostname
    except ValueError:
        host = None
    if host is not None and host != target.host.lower():
        return EngineError(FailureKind.CAPTIVE_PORTAL, f"the answer leads to another host, {_shown(host)} ({said})")
    return EngineError(
        FailureKind.HANDSHAKE_REFUSED, f"the server leads elsewhere ({said}, {_shown(location)}); correct the target"
    )


def _shown(text: str) -> str:
    """Return what a stranger wrote, cut and printable."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:_SHOWN_LETTERS]).strip()
