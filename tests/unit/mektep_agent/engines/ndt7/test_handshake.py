import base64
import hashlib
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.ndt7.handshake import Client, check_answer, looks_like_http, parse_answer, upgrade_request
from mektep_agent.engines.ndt7.target import TargetError, parse_target
from mektep_wire import Direction, FailureKind

KEY = bytes(range(16))
TARGET = parse_target("ws://ndt.example:8081")
ACCEPT = base64.b64encode(
    hashlib.sha1(base64.b64encode(KEY) + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
).decode()
RIGHT = {
    "Upgrade": "WebSocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Accept": ACCEPT,
    "Sec-WebSocket-Protocol": "net.measurementlab.ndt.v7",
}


def head(first: str, **headers: str) -> bytes:
    return "\r\n".join([first, *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]).encode()


def refusal(first: str, **headers: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        check_answer(parse_answer(head(first, **headers)), TARGET, KEY)
    return caught.value


def test_the_request_is_a_websocket_handshake_for_ndt7() -> None:
    request = upgrade_request(parse_target("wss://[2001:db8::1]"), Direction.UPLOAD, Client(), KEY).decode("ascii")
    first, *lines = request.removesuffix("\r\n\r\n").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first.startswith("GET /ndt/v7/upload?client_name=mektep-agent&")
    assert first.endswith(" HTTP/1.1")
    assert headers["Host"] == "[2001:db8::1]"
    assert headers["Upgrade"] == "websocket"
    assert headers["Connection"] == "Upgrade"
    assert headers["Sec-WebSocket-Version"] == "13"
    assert base64.b64decode(headers["Sec-WebSocket-Key"]) == KEY
    assert headers["Sec-WebSocket-Protocol"] == "net.measurementlab.ndt.v7"
    assert headers["User-Agent"].startswith("mektep-agent/")
    assert "Sec-WebSocket-Extensions" not in headers


def test_the_metadata_speak_of_software_alone() -> None:
    request = upgrade_request(TARGET, Direction.DOWNLOAD, Client(name="a b&c", version="1"), KEY).decode("ascii")
    query = parse_qsl(urlsplit(request.split(" ")[1]).query, strict_parsing=True, keep_blank_values=True)
    assert dict(query)["client_name"] == "a b&c"
    assert len(dict(query)) == len(query)
    assert all(value for _, value in query)
    assert {key for key, _ in query} <= {
        "client_name", "client_version", "client_os", "client_arch", "client_library_name", "client_library_version",
    }  # fmt: skip


def test_what_the_address_brings_along_goes_first_and_once() -> None:
    target = parse_target("wss://ndt.example/ndt/v7/download?access_token=t&client_name=other")
    request = upgrade_request(target, Direction.UPLOAD, Client(), KEY).decode("ascii")
    assert request.startswith("GET /ndt/v7/upload?access_token=t&client_name=other&client_version=")
    assert request.count("client_name=") == 1


def test_a_query_beyond_the_protocols_limit_is_refused() -> None:
    target = parse_target("ws://ndt.example/?access_token=" + "x" * 4096)
    with pytest.raises(TargetError, match="4096"):
        upgrade_request(target, Direction.DOWNLOAD, Client(), KEY)


def test_a_right_answer_opens_the_test() -> None:
    check_answer(parse_answer(head("HTTP/1.1 101 Switching Protocols", **RIGHT)), TARGET, KEY)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"Sec-WebSocket-Protocol": ""}, "did not agree to NDT7"),
        ({"Sec-WebSocket-Protocol": "net.measurementlab.throughput.v1"}, "did not agree to NDT7"),
        ({"Sec-WebSocket-Accept": "x"}, "Accept"),
        ({"Upgrade": "h2c"}, "without switching"),
        ({"Connection": "close"}, "without switching"),
        ({"Sec-WebSocket-Extensions": "permessage-deflate"}, "extension"),
    ],
)
def test_a_101_that_is_not_ndt7_is_a_protocol_error(changed: dict[str, str], said: str) -> None:
    trouble = refusal("HTTP/1.1 101 Switching Protocols", **{**RIGHT, **changed})
    assert trouble.kind is FailureKind.PROTOCOL_ERROR
    assert said in trouble.detail


@pytest.mark.parametrize(
    ("first", "headers", "kind"),
    [
        ("HTTP/1.1 200 OK", {"Content-Type": "text/html; charset=utf-8"}, FailureKind.CAPTIVE_PORTAL),
        ("HTTP/1.0 200 OK", {}, FailureKind.CAPTIVE_PORTAL),
        ("HTTP/1.1 200 OK", {"Content-Type": "application/json"}, FailureKind.PROTOCOL_ERROR),
        ("HTTP/1.1 204 No Content", {}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 302 Found", {"Location": "http://login.example/?u=x"}, FailureKind.CAPTIVE_PORTAL),
        ("HTTP/1.1 307 Temporary", {"Location": "//LOGIN.example/"}, FailureKind.CAPTIVE_PORTAL),
        ("HTTP/1.1 301 Moved", {"Location": "https://NDT.example/"}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 301 Moved", {"Location": "/elsewhere"}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 301 Moved", {}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 302 Found", {"Location": "http://[broken"}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 400 Bad Request", {}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 403 Forbidden", {"Content-Type": "text/html"}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 404", {}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 407 Proxy Authentication Required", {}, FailureKind.PROXY_ERROR),
        ("HTTP/1.1 503 Service Unavailable", {"Retry-After": "13"}, FailureKind.HANDSHAKE_REFUSED),
        ("HTTP/1.1 511 Network Authentication Required", {}, FailureKind.CAPTIVE_PORTAL),
    ],
)
def test_who_answered_is_the_kind_of_the_failure(first: str, headers: dict[str, str], kind: FailureKind) -> None:
    trouble = refusal(first, **headers)
    assert trouble.kind is kind
    assert first.split(" ")[1] in trouble.detail
    assert len(trouble.detail) <= 500


def test_a_strangers_words_are_cut_and_printable() -> None:
    trouble = refusal("HTTP/1.1 503 " + "\x1b[31m" + "x" * 10_000)
    assert trouble.detail.isprintable()
    assert len(trouble.detail) <= 500


@pytest.mark.parametrize("first", ["HTTP/2 101 x", "HTTP/1.1 abc", "HTTP/1.1 1015 x", "HTTP/1.1", "SSH-2.0-x", ""])
def test_what_is_no_response_is_a_protocol_error(first: str) -> None:
    with pytest.raises(EngineError) as caught:
        parse_answer(first.encode())
    assert caught.value.kind is FailureKind.PROTOCOL_ERROR


@given(st.binary(max_size=500))
def test_a_head_of_garbage_never_opens_a_test(garbage: bytes) -> None:
    with pytest.raises(EngineError):
        check_answer(parse_answer(garbage), TARGET, KEY)


@pytest.mark.parametrize(
    ("start", "may"), [(b"", True), (b"HTT", True), (b"HTTP/1.0 200", True), (b"SSH-2.0", False), (b"\x00", False)]
)
def test_what_cannot_become_http_is_seen_from_its_first_bytes(start: bytes, may: bool) -> None:
    assert looks_like_http(start) is may
