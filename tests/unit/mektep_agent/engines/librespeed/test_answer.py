import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.librespeed.answer import Body, Head, check_head, looks_like_http, parse_head
from mektep_agent.engines.librespeed.target import parse_target
from mektep_wire import FailureKind

TARGET = parse_target("http://speed.example.kz/backend/")
CHUNKED = Head(status=200, headers={"transfer-encoding": "chunked"})


def fed(body: Body, data: bytes, cuts: list[int]) -> Body:
    rest = memoryview(data)
    for cut in cuts:
        body.feed(rest[:cut])
        rest = rest[cut:]
    body.feed(rest)
    return body


@given(pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=8), cuts=st.lists(st.integers(1, 7), max_size=200))
def test_chunks_are_counted_without_their_framing_however_they_come(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(b"%x;name=value\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    body = fed(Body(CHUNKED), data, cuts)
    assert body.payload_bytes == sum(map(len, pieces))
    assert body.is_done


@given(size=st.integers(0, 300), more=st.integers(0, 20), cuts=st.lists(st.integers(1, 50), max_size=20))
def test_a_body_of_known_length_counts_no_byte_behind_it(size: int, more: int, cuts: list[int]) -> None:
    body = fed(Body(Head(status=200, headers={"content-length": str(size)})), bytes(size + more), cuts)
    assert (body.payload_bytes, body.is_done) == (size, True)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    body = fed(Body(Head(status=200, headers={})), bytes(500), [])
    assert (body.payload_bytes, body.is_done, body.ends_with_connection) == (500, False, True)


@pytest.mark.parametrize("raw", [b"xyz\r\n", b"\r\n\r\n", b"3\r\nabcd\r\n", b"1" * 5_000])
def test_what_is_no_chunk_is_refused(raw: bytes) -> None:
    with pytest.raises(EngineError) as refused:
        Body(CHUNKED).feed(memoryview(raw))
    assert refused.value.kind is FailureKind.PROTOCOL_ERROR


@pytest.mark.parametrize("told", ["-5", "5, 5", "many", "9" * 19])
def test_a_length_that_is_none_is_refused(told: str) -> None:
    with pytest.raises(EngineError):
        Body(Head(status=200, headers={"content-length": told}))


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (200, {"content-type": "text/html; charset=utf-8"}, FailureKind.CAPTIVE_PORTAL),
        (200, {"content-encoding": "gzip"}, FailureKind.PROTOCOL_ERROR),
        (302, {"location": "http://login.example/"}, FailureKind.HANDSHAKE_REFUSED),
        (404, {}, FailureKind.HANDSHAKE_REFUSED),
        (407, {}, FailureKind.PROXY_ERROR),
        (503, {"retry-after": "15"}, FailureKind.HANDSHAKE_REFUSED),
        (511, {}, FailureKind.CAPTIVE_PORTAL),
    ],
)
def test_each_refusal_has_its_kind(status: int, headers: dict[str, str], kind: FailureKind) -> None:
    with pytest.raises(EngineError) as refused:
        check_head(Head(status=status, headers=headers), TARGET)
    assert refused.value.kind is kind


def test_an_empty_answer_of_php_is_none_of_a_portal() -> None:
    check_head(Head(status=200, headers={"content-type": "text/html", "content-length": "0"}), TARGET)


def test_a_head_is_taken_apart() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Close")
    assert (head.status, head.headers["content-length"], head.stays) == (200, "5", False)
    with pytest.raises(EngineError):
        parse_head(b"SSH-2.0-OpenSSH")
    assert looks_like_http(b"HTT")
    assert not looks_like_http(b"SSH-2.0")
