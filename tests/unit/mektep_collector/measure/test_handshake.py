import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.measure.handshake import Refusal, Stop, Upgrade, answer_request
from mektep_collector.measure.request import looks_like_http
from mektep_wire import Direction
from tests.support.raw_websocket import DOWNLOAD, UPLOAD, request


def test_the_answer_is_that_of_the_rfc_s_own_example() -> None:
    answer = answer_request(request(DOWNLOAD, Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ=="))
    assert isinstance(answer, Upgrade)
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer.answer
    assert answer.answer.startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize(
    ("path", "direction", "stop"),
    [
        (DOWNLOAD, Direction.DOWNLOAD, Stop.FULL_LENGTH),
        (UPLOAD, Direction.UPLOAD, Stop.FULL_LENGTH),
        (DOWNLOAD + "?early_exit=250&client_name=x", Direction.DOWNLOAD, Stop.EARLY_EXIT),
        (DOWNLOAD + "?client_name=%D2%9B&access_token=a.b.c", Direction.DOWNLOAD, Stop.FULL_LENGTH),
        (UPLOAD + "?a=" + "b" * 4_094, Direction.UPLOAD, Stop.FULL_LENGTH),
    ],
)
def test_a_test_is_opened(path: str, direction: Direction, stop: Stop) -> None:
    answer = answer_request(request(path))
    assert isinstance(answer, Upgrade)
    assert (answer.direction, answer.stop) == (direction, stop)


def test_the_subprotocol_may_be_one_of_several() -> None:
    asked = request(DOWNLOAD, Sec_WebSocket_Protocol="chat, net.measurementlab.ndt.v7")
    assert isinstance(answer_request(asked), Upgrade)


@pytest.mark.parametrize(
    ("asked", "status", "word"),
    [
        (request("/", Upgrade=None), 200, "Mektep Meter"),
        (request("/elsewhere"), 404, "/ndt/v7/download"),
        (request(DOWNLOAD, method="POST"), 405, "GET"),
        (request(DOWNLOAD, Upgrade=None), 426, "WebSocket"),
        (request(DOWNLOAD, Connection="close"), 426, "WebSocket"),
        (request(DOWNLOAD, Sec_WebSocket_Version="8"), 426, "13"),
        (request(DOWNLOAD, Sec_WebSocket_Protocol=None), 400, "net.measurementlab.ndt.v7"),
        (request(DOWNLOAD, Sec_WebSocket_Protocol="chat"), 400, "net.measurementlab.ndt.v7"),
        (request(DOWNLOAD, Sec_WebSocket_Key=None), 400, "Sec-WebSocket-Key"),
        (request(DOWNLOAD, Sec_WebSocket_Key="c2hvcnQ="), 400, "Sec-WebSocket-Key"),
        (request(DOWNLOAD + "?a=1&b=2&a=3"), 400, "twice"),
        (request(DOWNLOAD + "?a"), 400, "without a value"),
        (request(DOWNLOAD + "?a="), 400, "without a value"),
        (request(DOWNLOAD + "?a=" + "b" * 4_095), 400, "4096"),
        (request(DOWNLOAD + "?early_exit=100"), 400, "250"),
        (request(UPLOAD + "?early_exit=0"), 400, "250"),
        (b"GET / HTTP/1.0\r\n\r\n", 400, "first line"),
        (b"GET http://other/ HTTP/1.1\r\n\r\n", 400, "first line"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "header"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "header"),
    ],
)
def test_anything_else_is_told_what_is_wrong(asked: bytes, status: int, word: str) -> None:
    answer = answer_request(asked)
    assert isinstance(answer, Refusal)
    assert answer.status == status
    head, _, body = answer.answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Connection: close" in head
    assert word in body.decode()


@given(st.binary(max_size=400))
def test_no_bytes_break_it(data: bytes) -> None:
    assert isinstance(answer_request(data + b"\r\n\r\n"), Refusal)


@given(st.text(max_size=60))
def test_no_query_breaks_it_or_gets_into_a_header(query: str) -> None:
    asked = request(DOWNLOAD + "?" + query.replace("\r", "").replace("\n", "").replace(" ", "+"))
    answer = answer_request(asked)
    assert answer.answer.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("start", [b"\x16\x03\x01\x02\x00", b"\0", b"\xd0\x90", b" GET"])
def test_what_cannot_be_http_is_seen_at_once(start: bytes) -> None:
    assert not looks_like_http(start)
    assert looks_like_http(b"G")
