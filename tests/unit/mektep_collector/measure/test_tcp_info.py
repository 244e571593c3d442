import struct

from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.measure.tcp_info import parse_bbr_state, parse_tcp_info


def _raw(length: int = 232, **at: tuple[str, int, int]) -> bytes:
    raw = bytearray(length)
    for form, offset, value in at.values():
        struct.pack_into("=" + form, raw, offset, value)
    return bytes(raw)


def test_fields_are_read_where_the_kernel_s_header_puts_them() -> None:
    raw = _raw(
        rtt=("I", 68, 40_000), acked=("Q", 120, 1 << 40), received=("Q", 128, 7), min_rtt=("I", 148, 39_000),
        sent=("Q", 200, 99), again=("Q", 208, 3), window=("I", 228, 65_535),
    )  # fmt: skip
    fields = parse_tcp_info(raw)
    assert fields["RTT"] == 40_000
    assert fields["BytesAcked"] == 1 << 40
    assert fields["BytesReceived"] == 7
    assert fields["MinRTT"] == 39_000
    assert (fields["BytesSent"], fields["BytesRetrans"], fields["SndWnd"]) == (99, 3, 65_535)


@given(st.binary(max_size=300))
def test_a_field_is_there_only_when_the_kernel_returned_all_of_it(raw: bytes) -> None:
    fields = parse_tcp_info(raw)
    assert ("BytesReceived" in fields) == (len(raw) >= 136)
    assert ("BytesRetrans" in fields) == (len(raw) >= 216)
    assert ("SndWnd" in fields) == (len(raw) >= 232)


def test_an_older_kernel_s_shorter_answer_leaves_fields_out() -> None:
    assert "BytesSent" not in parse_tcp_info(_raw(192))
    assert "BusyTime" in parse_tcp_info(_raw(192))


def test_a_least_rtt_that_is_not_known_yet_is_left_out() -> None:
    assert "MinRTT" not in parse_tcp_info(_raw(min_rtt=("I", 148, 0xFFFF_FFFF)))


def test_no_limit_on_pacing_fits_a_signed_integer_of_64_bits() -> None:
    assert parse_tcp_info(_raw(pacing=("Q", 112, (1 << 64) - 1)))["MaxPacingRate"] == -1


def test_the_state_of_bbr_has_its_bandwidth_in_two_halves() -> None:
    state = parse_bbr_state(struct.pack("=5I", 5, 1, 20_000, 739, 512))
    assert state is not None
    assert state.bandwidth_bytes_per_s == (1 << 32) + 5
    assert (state.min_rtt_us, state.pacing_gain, state.cwnd_gain) == (20_000, 739, 512)
    assert parse_bbr_state(bytes(16)) is None
