import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.engines.ndt7.frame import FrameError, FrameReader, Message, Opcode, encode_frame, encode_head

MIB = 1 << 20


def server_frame(opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0, masked: bool = False) -> bytes:
    return server_head(opcode, len(payload), final=final, reserved=reserved, masked=masked) + payload


def server_head(opcode: int, length: int, *, final: bool = True, reserved: int = 0, masked: bool = False) -> bytes:
    first = (0x80 if final else 0) | reserved | opcode
    mask_bit = 0x80 if masked else 0
    if length < 126:
        return bytes((first, mask_bit | length))
    if length < 1 << 16:
        return bytes((first, mask_bit | 126)) + length.to_bytes(2, "big")
    return bytes((first, mask_bit | 127)) + length.to_bytes(8, "big")


def feed(reader: FrameReader, *pieces: bytes) -> list[Message]:
    return [message for piece in pieces for message in reader.feed(memoryview(piece))]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just(Opcode.BINARY), st.binary(max_size=70_000)),
            st.tuples(st.just(Opcode.TEXT), st.binary(max_size=300)),
            st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125)),
        ),
        max_size=8,
    ),
    st.lists(st.integers(1, 5000), min_size=1, max_size=20),
)
def test_frames_read_the_same_however_they_are_cut(sent: list[tuple[Opcode, bytes]], cuts: list[int]) -> None:
    stream = b"".join(server_frame(opcode, payload) for opcode, payload in sent)
    pieces: list[bytes] = []
    position = 0
    while position < len(stream):
        step = cuts[len(pieces) % len(cuts)]
        pieces.append(stream[position : position + step])
        position += step
    reader = FrameReader()
    assert feed(reader, *pieces) == [Message(opcode, payload) for opcode, payload in sent if opcode != Opcode.BINARY]
    load = [len(payload) for opcode, payload in sent if opcode == Opcode.BINARY]
    texts = [len(payload) for opcode, payload in sent if opcode == Opcode.TEXT]
    assert (reader.binary_bytes, reader.message_count) == (sum(load), len(load))
    assert reader.data_bytes == sum(load) + sum(texts)


@given(st.binary(max_size=125), st.binary(min_size=4, max_size=4))
def test_a_frame_of_ours_is_masked_and_reads_back(payload: bytes, mask: bytes) -> None:
    encoded = encode_frame(Opcode.PONG, payload, mask)
    assert encoded[:2] == bytes((0x8A, 0x80 | len(payload)))
    assert encoded[2:6] == mask
    assert bytes(byte ^ mask[index % 4] for index, byte in enumerate(encoded[6:])) == payload


@pytest.mark.parametrize(("length", "size"), [(0, 6), (125, 6), (126, 8), (65_535, 8), (65_536, 14), (MIB, 14)])
def test_the_head_is_in_the_shortest_form(length: int, size: int) -> None:
    assert len(encode_head(Opcode.BINARY, length, b"mask")) == size


def test_control_frames_come_between_the_pieces_of_a_message() -> None:
    reader = FrameReader()
    found = feed(
        reader,
        server_frame(Opcode.TEXT, b"{", final=False),
        server_frame(Opcode.PING, b"now"),
        server_frame(Opcode.CONTINUATION, b"}"),
        server_frame(Opcode.BINARY, b"ab", final=False),
        server_frame(Opcode.PING, b"again"),
        server_frame(Opcode.CONTINUATION, b"cd"),
    )
    assert found == [Message(Opcode.PING, b"now"), Message(Opcode.TEXT, b"{}"), Message(Opcode.PING, b"again")]
    assert (reader.binary_bytes, reader.data_bytes, reader.message_count) == (4, 6, 1)


def test_load_may_be_skipped_unseen() -> None:
    reader = FrameReader()
    feed(reader, server_head(Opcode.BINARY, 1000) + bytes(100))
    assert reader.load_left_bytes == 900
    reader.skip_load(900)
    assert (reader.binary_bytes, reader.message_count, reader.load_left_bytes) == (1000, 1, 0)
    assert feed(reader, server_frame(Opcode.PING, b"")) == [Message(Opcode.PING, b"")]


def test_only_load_may_be_skipped() -> None:
    reader = FrameReader()
    feed(reader, server_head(Opcode.TEXT, 1000))
    assert reader.load_left_bytes == 0
    reader = FrameReader()
    feed(reader, server_head(Opcode.BINARY, 10, final=False) + bytes(10), server_head(Opcode.PING, 100))
    assert reader.load_left_bytes == 0


def test_a_message_of_16_mib_is_taken_and_one_byte_more_refused() -> None:
    reader = FrameReader()
    feed(reader, server_head(Opcode.BINARY, 16 * MIB))
    for _ in range(16):
        feed(reader, bytes(MIB))
    assert (reader.binary_bytes, reader.message_count) == (16 * MIB, 1)
    with pytest.raises(FrameError, match="more than 16777216 bytes"):
        feed(reader, server_head(Opcode.BINARY, 16 * MIB + 1))


def test_pieces_count_together_against_the_limit() -> None:
    reader = FrameReader()
    feed(reader, server_head(Opcode.BINARY, 16 * MIB, final=False))
    for _ in range(16):
        feed(reader, bytes(MIB))
    with pytest.raises(FrameError, match="more than"):
        feed(reader, server_head(Opcode.CONTINUATION, 126))


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        (server_frame(Opcode.BINARY, b"", reserved=0x40), "reserved"),
        (server_frame(0x3, b""), "opcode 3"),
        (server_frame(0xB, b""), "opcode 11"),
        (server_frame(Opcode.BINARY, b"", masked=True), "masked"),
        (server_frame(Opcode.CONTINUATION, b"x"), "continuation"),
        (server_frame(Opcode.BINARY, b"x", final=False) + server_frame(Opcode.TEXT, b"x"), "before the last"),
        (server_frame(Opcode.PING, b"x", final=False), "control"),
        (server_head(Opcode.PING, 126), "control"),
        (server_frame(Opcode.CLOSE, b"x"), "one byte"),
        (bytes((0x82, 126, 0, 125)), "shortest"),
        (bytes((0x82, 127)) + (65_535).to_bytes(8, "big"), "shortest"),
        (server_head(Opcode.BINARY, 1 << 63), "more than"),
        (server_head(Opcode.TEXT, (1 << 16) + 1), "load must be binary"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "reserved"),
    ],
)
def test_a_violation_is_named(stream: bytes, said: str) -> None:
    with pytest.raises(FrameError, match=said):
        feed(FrameReader(), stream)


@given(st.binary(max_size=2000))
def test_garbage_is_a_violation_or_frames_and_never_anything_else(garbage: bytes) -> None:
    reader = FrameReader()
    try:
        feed(reader, garbage)
    except FrameError:
        return
    assert reader.data_bytes <= len(garbage)
