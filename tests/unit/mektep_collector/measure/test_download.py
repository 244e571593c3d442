from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.measure.download import next_size, prepare_load
from mektep_collector.measure.specification import FIRST_MESSAGE_BYTES, LARGEST_SENT_MESSAGE_BYTES

LOAD = prepare_load()


def test_messages_double_from_8_kib_to_1_mib_and_no_further() -> None:
    payloads = [len(frame) - (4 if len(frame) < 1 << 16 else 10) for frame in LOAD]
    assert payloads == [FIRST_MESSAGE_BYTES << index for index in range(8)]
    assert payloads[-1] == LARGEST_SENT_MESSAGE_BYTES == 1 << 20


@given(st.integers(0, len(LOAD) - 1), st.integers(0, 1 << 34))
def test_a_message_doubles_once_when_it_is_a_sixty_fourth_of_what_was_sent(index: int, sent_bytes: int) -> None:
    following = next_size(index, LOAD, sent_bytes)
    size = FIRST_MESSAGE_BYTES << index
    may_double = size < LARGEST_SENT_MESSAGE_BYTES and size <= sent_bytes / 64
    assert following == index + may_double
