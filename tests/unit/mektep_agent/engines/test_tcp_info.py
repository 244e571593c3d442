import struct

from mektep_agent.engines.tcp_info import KernelCounters, parse_tcp_info

RAW = bytearray(256)
for offset, form, value in (
    (52, "=I", 520), (120, "=Q", 1200), (128, "=Q", 1280), (136, "=I", 136), (140, "=I", 140), (148, "=I", 1480),
    (152, "=I", 152),
    (200, "=Q", 2000), (208, "=Q", 2080),
):  # fmt: skip
    struct.pack_into(form, RAW, offset, value)


def test_counters_stand_where_the_kernel_writes_them() -> None:
    assert parse_tcp_info(bytes(RAW)) == KernelCounters(
        min_rtt_us=1480,
        bytes_acked=1200,
        bytes_received=1280,
        bytes_sent=2000,
        bytes_retransmitted=2080,
        segments_sent=136,
        segments_received=140,
        data_segments_received=152,
        since_received_ms=520,
    )


def test_an_older_kernel_leaves_out_what_it_does_not_know() -> None:
    assert parse_tcp_info(bytes(RAW[:192])) == KernelCounters(
        min_rtt_us=1480,
        bytes_acked=1200,
        bytes_received=1280,
        segments_sent=136,
        segments_received=140,
        data_segments_received=152,
        since_received_ms=520,
    )
    assert parse_tcp_info(bytes(RAW[:127])).bytes_acked is None
    assert parse_tcp_info(b"") == KernelCounters()


def test_an_unknown_round_trip_is_none() -> None:
    raw = bytearray(RAW)
    struct.pack_into("=I", raw, 148, 0xFFFF_FFFF)
    assert parse_tcp_info(bytes(raw)).min_rtt_us is None
