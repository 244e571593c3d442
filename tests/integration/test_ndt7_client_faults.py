"""The NDT7 client against servers that break the protocol, lie, go silent or leave: each is a failure of its kind."""

import asyncio
import itertools
import time
from collections.abc import Callable

import pytest

from mektep_agent.engines.engine import EngineError, Limits, StopRule
from mektep_agent.engines.ndt7 import Ndt7Engine
from mektep_agent.sample import ThroughputSample
from mektep_agent.statistics.frugal import FrugalStop
from mektep_agent.statistics.throughput import FullLength, mean_throughput_mbps
from mektep_wire import Direction, FailureKind, StopReason
from tests.support.hostile_ndt7 import BINARY, CLOSE, CONTINUATION, PING, TEXT, Peer, Script, frame, scripted_server

pytestmark = pytest.mark.alone

LIMITS = Limits(max_duration_s=0.7, connect_timeout_s=0.7, stall_timeout_s=0.4)
LONG = Limits(max_duration_s=4.0, connect_timeout_s=1.0, stall_timeout_s=0.6)


def measure(
    target: str, direction: Direction, limits: Limits = LIMITS, stop: StopRule | None = None
) -> ThroughputSample:
    return asyncio.run(Ndt7Engine().measure(target, direction, limits, stop or FullLength()))


def failure(script: Script, direction: Direction, limits: Limits = LIMITS, stop: StopRule | None = None) -> EngineError:
    with scripted_server(script) as target, pytest.raises(EngineError) as caught:
        measure(target, direction, limits, stop)
    assert 0 < len(caught.value.detail) <= 500
    assert caught.value.bytes_sent > 0
    return caught.value


def after_accept(say: Callable[[Peer], None]) -> Script:
    def script(peer: Peer) -> None:
        peer.accept()
        say(peer)
        peer.await_end()

    return script


def close_at_once(peer: Peer) -> None:
    peer.accept()
    peer.close(1013, b"too busy")


def end_at_once(peer: Peer) -> None:
    peer.accept()
    peer.end()


def reset_at_once(peer: Peer) -> None:
    peer.accept()
    peer.fill(0.2)
    peer.reset()


def silent(peer: Peer) -> None:
    peer.accept()
    peer.await_end() if peer.request.path.endswith("download") else time.sleep(2.0)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (close_at_once, FailureKind.CLOSED_EARLY),
        (end_at_once, FailureKind.CLOSED_EARLY),
        (silent, FailureKind.STALLED),
    ],
)
def test_a_server_that_leaves_or_says_nothing(direction: Direction, script: Script, kind: FailureKind) -> None:
    trouble = failure(script, direction, LONG)
    assert trouble.kind is kind
    if script is close_at_once:
        assert "1013 too busy" in trouble.detail


def test_a_reset_before_there_is_enough() -> None:
    trouble = failure(reset_at_once, Direction.DOWNLOAD)
    assert trouble.kind is FailureKind.CONNECTION_RESET
    assert trouble.bytes_received > 0


@pytest.mark.parametrize(
    ("say", "reason"),
    [
        (lambda peer: peer.close(), StopReason.SERVER_CLOSED),
        (lambda peer: peer.end(), StopReason.SERVER_CLOSED),
        (lambda peer: peer.reset(), StopReason.CONNECTION_LOST),
        (lambda peer: time.sleep(1.5), StopReason.CONNECTION_LOST),
    ],
    ids=["close", "end", "reset", "silence"],
)
def test_an_end_after_enough_is_a_warning_and_the_silence_does_not_count(
    say: Callable[[Peer], None], reason: StopReason
) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.pace(40.0)
        peer.fill(1.5)
        say(peer)

    with scripted_server(script) as target:
        sample = measure(target, Direction.DOWNLOAD, LONG)
    assert sample.stop_reason is reason
    assert sample.points[-1].elapsed_s == pytest.approx(1.5, abs=0.25)
    assert sample.duration_s == pytest.approx(1.5, abs=0.25)
    assert mean_throughput_mbps(sample).value_mbps == pytest.approx(40.0, rel=0.1)


@pytest.mark.parametrize("is_reset", [False, True])
def test_an_upload_that_is_cut_short_after_enough_is_a_warning(is_reset: bool) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        for due_s in itertools.count(1):
            for _ in peer.frames(due_s * 0.1):
                pass
            peer.send_count()
            if due_s == 15:
                break
        if is_reset:
            peer.reset()
        else:
            peer.close(1001)

    with scripted_server(script) as target:
        sample = measure(target, Direction.UPLOAD, LONG)
    assert sample.stop_reason is (StopReason.CONNECTION_LOST if is_reset else StopReason.SERVER_CLOSED)
    assert sample.points[-1].elapsed_s == pytest.approx(1.5, abs=0.25)


@pytest.mark.slow
def test_a_silence_that_lasts_through_the_farewell_is_a_lost_connection() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.pace(40.0)
        peer.fill(1.2)
        peer.await_end()

    with scripted_server(script) as target:
        sample = measure(target, Direction.DOWNLOAD, Limits(max_duration_s=2.6, stall_timeout_s=7.0))
    assert sample.stop_reason is StopReason.CONNECTION_LOST
    assert sample.points[-1].elapsed_s == pytest.approx(1.2, abs=0.25)


def test_a_silence_that_ends_counts_in_full() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.pace(40.0)
        peer.fill(1.0)
        time.sleep(1.2)
        peer.fill(3.0)
        peer.close()

    with scripted_server(script) as target:
        sample = measure(target, Direction.DOWNLOAD, Limits(max_duration_s=2.1, stall_timeout_s=7.0))
    assert sample.stop_reason is StopReason.FULL_LENGTH
    assert sample.points[-1].elapsed_s == pytest.approx(2.1, abs=0.1)
    assert mean_throughput_mbps(sample).ndt7_mbps < 30


def trickle_head(peer: Peer) -> None:
    peer.read_request()
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n":
        peer.send(bytes((byte,)))
        time.sleep(0.1)


def trickle_load(peer: Peer) -> None:
    peer.accept()
    peer.send(b"\x82\x7e\x20\x00")
    while True:
        peer.send(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "script", [trickle_head, pytest.param(trickle_load, marks=pytest.mark.slow), lambda peer: peer.await_end()]
)
def test_a_trickle_is_no_throughput(script: Script) -> None:
    began_s = time.monotonic()
    assert failure(script, Direction.DOWNLOAD).kind is FailureKind.STALLED
    assert time.monotonic() - began_s < 6.0


@pytest.mark.parametrize(
    ("direction", "say", "said"),
    [
        (Direction.UPLOAD, lambda peer: peer.send_frame(BINARY, bytes(8192)), "load in an upload"),
        (Direction.UPLOAD, lambda peer: peer.send_frame(BINARY, b'{"TCPInfo":{}}'), "load in an upload"),
        (Direction.DOWNLOAD, lambda peer: peer.send_frame(TEXT, bytes(8192)), "not JSON"),
        (Direction.DOWNLOAD, lambda peer: peer.send_frame(TEXT, bytes(1 << 17)), "load must be binary"),
        (Direction.UPLOAD, lambda peer: peer.send_frame(TEXT, b"[1, 2]"), "no object"),
        (Direction.UPLOAD, lambda peer: peer.send_frame(TEXT, b"[" * 60_000), "not JSON"),
        (Direction.DOWNLOAD, lambda peer: peer.send(b"\x82\x7f" + ((1 << 24) + 1).to_bytes(8, "big")), "16777216"),
        (Direction.DOWNLOAD, lambda peer: peer.send(frame(BINARY, b"x", reserved=0x40)), "reserved"),
        (Direction.DOWNLOAD, lambda peer: peer.send_frame(CONTINUATION, b"x"), "continuation"),
        (Direction.DOWNLOAD, lambda peer: peer.send(b"HTTP/1.1 500 Oops\r\n\r\n"), "reserved"),
        (Direction.DOWNLOAD, lambda peer: peer.send(b"\x82\xfe\x20\x00"), "masked"),
    ],
)
def test_a_server_that_breaks_the_protocol(direction: Direction, say: Callable[[Peer], None], said: str) -> None:
    trouble = failure(after_accept(say), direction)
    assert trouble.kind is FailureKind.PROTOCOL_ERROR
    assert said in trouble.detail


@pytest.mark.slow
def test_a_download_of_nothing_but_text_is_no_download() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        for _ in range(30):
            peer.send_measurement(AppInfo={"ElapsedTime": 1, "NumBytes": 1})
            time.sleep(0.05)
        peer.await_end()

    trouble = failure(script, Direction.DOWNLOAD)
    assert trouble.kind is FailureKind.PROTOCOL_ERROR
    assert "no load" in trouble.detail


@pytest.mark.parametrize("stop", [FullLength(), FrugalStop()], ids=["full length", "frugal"])
@pytest.mark.parametrize(
    "lie",
    [
        lambda peer: peer.send_count(received_bytes=10**12),
        lambda peer: peer.send_count(elapsed_s=peer.elapsed_s() * 1000),
        lambda peer: peer.send_count(elapsed_s=0.0),
    ],
    ids=["more than was sent", "from the future", "in no time"],
)
def test_a_server_that_only_lies_gives_no_value(lie: Callable[[Peer], None], stop: StopRule) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        for due in range(1, 30):
            for one in peer.frames(due * 0.1):
                if one.opcode == CLOSE:
                    return
            lie(peer)

    trouble = failure(script, Direction.UPLOAD, stop=stop)
    assert trouble.kind is FailureKind.PROTOCOL_ERROR
    assert "contradict" in trouble.detail


def test_what_goes_back_is_left_out_and_the_rest_believed() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        for due in range(1, 30):
            for one in peer.frames(due * 0.1):
                if one.opcode == CLOSE:
                    peer.send_frame(CLOSE, one.payload)
                    peer.end()
                    return
            peer.send_count()
            peer.send_count(received_bytes=peer.received_bytes // 2)

    with scripted_server(script) as target:
        sample = measure(target, Direction.UPLOAD)
    assert 3 <= len(sample.points) <= 8
    counts = [point.total_bytes for point in sample.points]
    assert counts == sorted(counts)


def test_a_flood_of_pings_is_survived_without_end_of_memory() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        flood = frame(PING, bytes(125)) * 100 + frame(BINARY, bytes(1 << 13))
        peer.socket.settimeout(0.3)
        while peer.elapsed_s() < 3.0:
            peer.send(flood)  # and nothing is read

    with scripted_server(script) as target:
        sample = measure(target, Direction.DOWNLOAD)
    assert sample.points[-1].total_bytes > 0


def test_a_server_that_takes_nothing_stalls_an_upload() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        time.sleep(2.0)

    assert failure(script, Direction.UPLOAD, LONG).kind is FailureKind.STALLED


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
def test_a_server_that_ignores_the_farewell_is_left(direction: Direction) -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        if direction is Direction.DOWNLOAD:
            peer.fill(15.0)
        else:
            while True:
                peer.receive()
                peer.send_count()
                time.sleep(0.001)

    began_s = time.monotonic()
    with scripted_server(script) as target:
        sample = measure(target, direction, Limits(max_duration_s=0.5))
        assert time.monotonic() - began_s < 5.0
    assert sample.stop_reason is StopReason.FULL_LENGTH
