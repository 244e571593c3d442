import json

import pytest

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.iperf3.report import failure, read_report
from mektep_agent.engines.iperf3.target import TargetError, parse_target
from mektep_agent.sample import Point
from mektep_wire import Direction, FailureKind


def interval(end: float, size: int, omitted: bool = False) -> dict[str, object]:
    return {"streams": [], "sum": {"start": 0, "end": end, "bytes": size, "omitted": omitted, "sender": False}}


def printed(**changes: object) -> bytes:
    document: dict[str, object] = {
        "start": {"version": "iperf 3.12"},
        "intervals": [interval(0.1, 900), interval(0.2, 1_000), interval(0.2001, 7)],
        "end": {
            "streams": [{"sender": {"min_rtt": 35_000}, "receiver": {}}],
            "sum_sent": {"end": 0.2, "bytes": 5_000, "retransmits": 1},
            "sum_received": {"end": 0.25, "bytes": 1_907},
        },
    }
    return json.dumps(document | changes).encode()


def test_a_downloads_points_are_the_receivers_and_its_crumb_of_an_interval_makes_no_rate() -> None:
    sample = read_report(printed(), Direction.DOWNLOAD)
    assert sample.points == (Point(0.1, 900), Point(0.2001, 1_907))
    assert sample.bytes_received > 1_907


def test_an_uploads_own_intervals_are_not_believed() -> None:
    sample = read_report(printed(), Direction.UPLOAD)
    assert sample.points == (Point(0.25, 1_907),)
    assert sample.bytes_sent > 5_000
    assert sample.tcp.min_rtt_ms == 35.0


def test_an_uploads_points_are_the_servers_where_it_tells_them() -> None:
    server = {"intervals": [interval(1.0, 800), interval(2.0, 1_107)]}
    sample = read_report(printed(server_output_json=server), Direction.UPLOAD)
    assert sample.points == (Point(1.0, 800), Point(2.0, 1_907))


def test_intervals_that_iperf3_leaves_out_are_left_out() -> None:
    sample = read_report(printed(intervals=[interval(0.1, 9_999, omitted=True), interval(0.2, 50)]), Direction.DOWNLOAD)
    assert sample.points == (Point(0.2, 50),)


def test_an_interrupted_download_has_what_came_and_an_upload_nothing() -> None:
    raw = printed(error="interrupt - the client has terminated", end={"sum_sent": {"bytes": 0}})
    assert read_report(raw, Direction.DOWNLOAD).points[-1].total_bytes == 1_907
    with pytest.raises(EngineError):
        read_report(raw, Direction.UPLOAD)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("unable to connect to server: Connection refused", FailureKind.CONNECTION_REFUSED),
        ("unable to connect to server: Connection timed out", FailureKind.CONNECT_TIMEOUT),
        ("unable to connect to server: No route to host", FailureKind.HOST_UNREACHABLE),
        ("unable to connect to server: Network is unreachable", FailureKind.NETWORK_UNREACHABLE),
        ("the server is busy running a test. try again later", FailureKind.HANDSHAKE_REFUSED),
        ("control socket has closed unexpectedly", FailureKind.CLOSED_EARLY),
        ("something new\x1b[31m", FailureKind.PROTOCOL_ERROR),
    ],
)
def test_iperf3s_words_have_a_kind(words: str, kind: FailureKind) -> None:
    trouble = failure(words)
    assert trouble.kind is kind
    assert trouble.detail.isprintable()
    with pytest.raises(EngineError) as same:
        read_report(printed(error=words, end={}), Direction.DOWNLOAD)
    assert same.value.kind is kind


@pytest.mark.parametrize("raw", [b"", b"iperf3: nonsense", b"[]", b'{"end": 5}'])
def test_what_is_no_report_is_refused(raw: bytes) -> None:
    with pytest.raises(EngineError) as refused:
        read_report(raw, Direction.DOWNLOAD)
    assert refused.value.kind is FailureKind.PROTOCOL_ERROR


def test_nothing_that_arrived_is_a_failure_and_no_zero() -> None:
    with pytest.raises(EngineError) as refused:
        read_report(printed(intervals=[], end={}), Direction.UPLOAD)
    assert refused.value.kind is FailureKind.STALLED


def test_an_address_has_a_port_or_iperf3s_own() -> None:
    assert parse_target("iperf3://host").port == 5201
    assert parse_target("iperf3://[::1]:9").host == "::1"


@pytest.mark.parametrize(
    "text", ["host", "ws://host", "iperf3://", "iperf3://host/path", "iperf3://host:0", "iperf3://h:x"]
)
def test_any_other_address_is_refused_with_the_form_that_is_wanted(text: str) -> None:
    with pytest.raises(TargetError, match="iperf3://host"):
        parse_target(text)
