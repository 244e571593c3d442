import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.measure.chunks import ChunkCounter, ChunkError


def encoded(pieces: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


@given(pieces=st.lists(st.binary(min_size=1, max_size=40), max_size=8), cuts=st.lists(st.integers(1, 7), max_size=200))
def test_the_payload_is_counted_however_the_network_cuts_it(pieces: list[bytes], cuts: list[int]) -> None:
    body = memoryview(encoded(pieces) + b"0\r\n\r\n")
    counter = ChunkCounter()
    for cut in cuts:
        counter.feed(body[:cut])
        body = body[cut:]
    counter.feed(body)
    assert counter.payload_bytes == sum(map(len, pieces))
    assert counter.is_done


def test_a_body_that_goes_on_is_not_done() -> None:
    counter = ChunkCounter()
    counter.feed(memoryview(encoded([b"abc", b"de"]) + b"a\r\n12345"))
    assert (counter.payload_bytes, counter.is_done) == (10, False)


@pytest.mark.parametrize("raw", [b"xyz\r\n", b"\r\n", b"-1\r\n", b"3\r\nabcd\r\n", b"1" * 2_000, b"1;" + b"x" * 2_000])
def test_what_is_no_chunk_is_refused(raw: bytes) -> None:
    with pytest.raises(ChunkError):
        ChunkCounter().feed(memoryview(raw))
