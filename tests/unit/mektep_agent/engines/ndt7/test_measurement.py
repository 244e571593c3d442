import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.engines.ndt7.measurement import MeasurementError, Report, encode_measurement, parse_report
from mektep_agent.sample import TcpCounters
from mektep_wire import Direction

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def report(**parts: object) -> Report:
    return parse_report(json.dumps(parts).encode())


def test_our_measurement_says_what_the_application_moved_and_no_more() -> None:
    assert json.loads(encode_measurement(Direction.UPLOAD, 1.25, 4096)) == {
        "AppInfo": {"ElapsedTime": 1_250_000, "NumBytes": 4096},
        "Origin": "client",
        "Test": "upload",
    }


def test_the_kernels_count_goes_before_the_applications() -> None:
    tcp, app = {"ElapsedTime": 2_000_000, "BytesReceived": 900}, {"ElapsedTime": 2_100_000, "NumBytes": 800}
    assert (report(TCPInfo=tcp, AppInfo=app).elapsed_s, report(TCPInfo=tcp, AppInfo=app).received_bytes) == (2.0, 900)
    assert (report(AppInfo=app).elapsed_s, report(AppInfo=app).received_bytes) == (2.1, 800)


@pytest.mark.parametrize("tcp", [{"BytesReceived": 900}, {"ElapsedTime": 5}, {"ElapsedTime": "5", "BytesReceived": 9}])
def test_a_count_goes_with_the_time_beside_it_or_not_at_all(tcp: dict[str, object]) -> None:
    assert report(TCPInfo=tcp) == Report()
    found = report(TCPInfo=tcp, AppInfo={"ElapsedTime": 1_000_000, "NumBytes": 7})
    assert (found.elapsed_s, found.received_bytes) == (1.0, 7)


def test_the_sending_kernels_counters_are_kept() -> None:
    tcp = {"MinRTT": 20_500, "BytesAcked": 900, "BytesSent": 1000, "BytesRetrans": 40}
    assert report(TCPInfo=tcp).tcp == TcpCounters(
        min_rtt_ms=20.5, bytes_acked=900, bytes_sent=1000, bytes_retransmitted=40
    )
    assert report(BBRInfo={"MinRTT": 7000, "BW": 5}).tcp == TcpCounters(min_rtt_ms=7.0)


@pytest.mark.parametrize(
    "tcp",
    [
        {"MinRTT": 4_294_967_295},
        {"MinRTT": 0},
        {"MinRTT": -5},
        {"MinRTT": True},
        {"BytesSent": 10, "BytesRetrans": 11},
        {"BytesSent": 10},
        {"BytesAcked": 10**30},
    ],
)
def test_absurd_counters_are_left_out(tcp: dict[str, object]) -> None:
    assert report(TCPInfo=tcp).tcp == TcpCounters()


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"7", b"null", b"\xff\xfe", b"NaN", b"[" * 60_000, b'{"a":' * 12_000, bytes(8192)]
)
def test_what_is_no_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(MeasurementError):
        parse_report(payload)


@given(st.dictionaries(st.sampled_from(["TCPInfo", "AppInfo", "BBRInfo", "Origin"]), JSON, max_size=4))
def test_any_object_is_survived(parts: dict[str, object]) -> None:
    found = parse_report(json.dumps(parts).encode())
    assert (found.elapsed_s is None) is (found.received_bytes is None)
