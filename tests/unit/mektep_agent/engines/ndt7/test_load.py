from mektep_agent.engines.ndt7.load import LOAD_BYTES, Load

KIB, MIB = 1 << 10, 1 << 20


def payload_bytes(frame: memoryview) -> int:
    short = frame[1] & 0x7F
    head = 2 + {126: 2, 127: 8}.get(short, 0)
    length = int.from_bytes(frame[2:head], "big") if short >= 126 else short
    assert len(frame) == head + 4 + length
    return length


def test_messages_grow_as_the_protocol_says_one_size_a_message() -> None:
    load, sent, sizes = Load(bytes(LOAD_BYTES)), 0, []
    while sent < 40 * MIB:
        size = payload_bytes(load.next_frame(sent))
        assert size == 8 * KIB or size / 2 <= sent / 16
        sizes.append(size)
        sent += size
    assert sizes[0] == 8 * KIB
    assert sorted(sizes) == sizes
    assert sorted(set(sizes)) == [8 * KIB << step for step in range(8)]
    assert sizes[:17] == [8 * KIB] * 16 + [16 * KIB]


def test_every_frame_is_whole_masked_and_random() -> None:
    random_bytes = bytes(index * 7 % 256 for index in range(LOAD_BYTES))
    load = Load(random_bytes)
    for sent in (0, 0, 128 * KIB, 256 * KIB, 512 * KIB, MIB, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB):
        frame = load.next_frame(sent)
        assert (frame[0], frame[1] & 0x80) == (0x82, 0x80)
        assert frame[-load.message_bytes :] == random_bytes[14 : 14 + load.message_bytes]
    assert load.message_bytes == MIB
