from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.measure.frame import (
    CloseCode,
    Control,
    FrameError,
    FrameReader,
    Opcode,
    encode_close,
    encode_frame,
)
from tests.support.raw_websocket import BINARY, CLOSE, CONTINUATION, PING, TEXT, frame

LIMIT_BYTES = 1 << 20


def _feed(data: bytes, *cuts: int) -> tuple[list[Control], FrameReader]:
    reader = FrameReader(LIMIT_BYTES)
    found: list[Control] = []
    edges = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    for start, end in pairwise(edges):
        found += reader.feed(memoryview(data)[start:end])
    return found, reader


def _masked(opcode: int, payload: bytes, mask: bytes) -> bytes:
    plain = frame(opcode, payload)
    head = len(plain) - len(payload)
    return plain[: head - 4] + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


messages = st.lists(
    st.tuples(st.sampled_from([TEXT, BINARY, PING]), st.binary(max_size=300), st.binary(min_size=4, max_size=4)),
    max_size=8,
).map(lambda found: [(opcode, payload[:125] if opcode == PING else payload, mask) for opcode, payload, mask in found])


@given(messages, st.lists(st.integers(0, 3_000), max_size=40))
def test_it_reads_the_same_from_whatever_pieces_the_network_delivers(
    sent: list[tuple[int, bytes, bytes]], cuts: list[int]
) -> None:
    controls, reader = _feed(b"".join(_masked(*one) for one in sent), *cuts)
    assert controls == [Control(Opcode.PING, payload) for opcode, payload, _ in sent if opcode == PING]
    assert reader.binary_bytes == sum(len(payload) for opcode, payload, _ in sent if opcode == BINARY)
    assert reader.text_bytes == sum(len(payload) for opcode, payload, _ in sent if opcode == TEXT)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_garbage_is_read_or_refused_but_never_breaks_the_reader(data: bytes, cuts: list[int]) -> None:
    with suppress(FrameError):
        _feed(data, *cuts)


def test_load_is_counted_before_its_message_is_complete() -> None:
    _, reader = _feed(frame(BINARY, bytes(100_000))[:50_000])
    assert reader.binary_bytes == 50_000 - 14


def test_a_control_frame_may_come_between_the_pieces_of_a_message() -> None:
    data = frame(BINARY, b"12", final=False) + frame(PING, b"?") + frame(CONTINUATION, b"345")
    controls, reader = _feed(data)
    assert controls == [Control(Opcode.PING, b"?")]
    assert reader.binary_bytes == 5


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(BINARY, b"1", masked=False), CloseCode.PROTOCOL_ERROR),
        (frame(BINARY, b"1", reserved=0x40), CloseCode.PROTOCOL_ERROR),
        (frame(0x3, b"1"), CloseCode.PROTOCOL_ERROR),
        (frame(CONTINUATION, b"1"), CloseCode.PROTOCOL_ERROR),
        (frame(BINARY, b"1", final=False) + frame(BINARY, b"2"), CloseCode.PROTOCOL_ERROR),
        (frame(PING, bytes(126)), CloseCode.PROTOCOL_ERROR),
        (frame(PING, b"1", final=False), CloseCode.PROTOCOL_ERROR),
        (frame(CLOSE, b"1"), CloseCode.PROTOCOL_ERROR),
        (b"\x82\xfe\x00\x7d" + bytes(4), CloseCode.PROTOCOL_ERROR),
        (b"\x82\xff" + (65_535).to_bytes(8, "big") + bytes(4), CloseCode.PROTOCOL_ERROR),
        (b"\x82\xff" + (LIMIT_BYTES + 1).to_bytes(8, "big") + bytes(4), CloseCode.MESSAGE_TOO_BIG),
        (b"\x82\xff\xff" + bytes(7) + bytes(4), CloseCode.MESSAGE_TOO_BIG),
    ],
    ids=[
        "unmasked", "reserved-bit", "unknown-opcode", "nothing-to-continue", "message-inside-message", "long-control",
        "split-control", "close-of-one-byte", "long-form-of-16-bits", "long-form-of-64-bits", "too-big", "top-bit",
    ],
)  # fmt: skip
def test_each_violation_has_its_closing_code(data: bytes, code: CloseCode) -> None:
    with pytest.raises(FrameError) as refused:
        _feed(data)
    assert refused.value.code is code


def test_a_message_in_pieces_is_measured_against_the_limit_as_a_whole() -> None:
    pieces = frame(BINARY, bytes(LIMIT_BYTES // 2), final=False) + frame(CONTINUATION, bytes(LIMIT_BYTES // 2))
    _feed(pieces)
    longer = frame(BINARY, bytes(LIMIT_BYTES // 2), final=False) + frame(CONTINUATION, bytes(LIMIT_BYTES // 2 + 1))
    with pytest.raises(FrameError) as refused:
        _feed(longer)
    assert refused.value.code is CloseCode.MESSAGE_TOO_BIG


@pytest.mark.parametrize(
    ("length", "head"),
    [(0, b"\x82\x00"), (125, b"\x82\x7d"), (126, b"\x82\x7e\x00\x7e"), (65_536, b"\x82\x7f" + b"\0\0\0\0\0\1\0\0")],
)
def test_a_sent_frame_has_the_shortest_head(length: int, head: bytes) -> None:
    assert encode_frame(Opcode.BINARY, bytes(length)) == head + bytes(length)


def test_a_closing_frame_fits_a_control_frame_whatever_its_reason() -> None:
    assert len(encode_close(CloseCode.NORMAL, "x" * 500)) == 127
