"""The NDT7 client against servers that keep the protocol: the collector's own, and one written apart from both."""

import asyncio
import ssl
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from mektep_agent.engines.engine import EngineError, Limits
from mektep_agent.engines.ndt7 import Ndt7Engine, Ndt7Settings
from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.throughput import FullLength, mean_throughput_mbps
from mektep_wire import VERSION, Direction, EngineName, FailureKind, StopReason
from tests.support.certificate import make_certificate
from tests.support.hostile_ndt7 import BINARY, CLOSE, PING, PONG, TEXT, Frame, Peer, scripted_server, serve_properly
from tests.support.running_measure_server import measure_server

pytestmark = pytest.mark.alone

SHORT = Limits(max_duration_s=0.8, connect_timeout_s=5.0, stall_timeout_s=2.0)


class StopAfter:
    """A stop rule that is content after so many points."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.seen: list[int] = []

    def decide(self, points: Sequence[Point]) -> StopReason | None:
        self.seen.append(len(points))
        return StopReason.CONVERGED if len(points) >= self._count else None


def measure(
    target: str, direction: Direction, limits: Limits = SHORT, settings: Ndt7Settings | None = None
) -> ThroughputSample:
    return asyncio.run(Ndt7Engine(settings).measure(target, direction, limits, FullLength()))


def in_order(points: Sequence[Point]) -> bool:
    return all(one.elapsed_s <= two.elapsed_s and one.total_bytes <= two.total_bytes for one, two in pairwise(points))


def test_the_engine_says_what_it_is() -> None:
    engine = Ndt7Engine()
    assert (engine.name, engine.version(), engine.obstacle()) == (EngineName.NDT7, VERSION, None)


@pytest.mark.parametrize("direction", Direction)
def test_the_collectors_own_server_is_measured(direction: Direction) -> None:
    with measure_server() as server:
        sample = measure(f"ws://127.0.0.1:{server.ready.ndt7_port}", direction)
        server.await_outcome(direction.value, "client_closed")
    assert sample.direction is direction
    assert sample.stop_reason is StopReason.FULL_LENGTH
    assert in_order(sample.points)
    assert sample.points[-1].elapsed_s == pytest.approx(0.8, abs=0.25)
    assert sample.duration_s == pytest.approx(0.8, abs=0.2)
    assert mean_throughput_mbps(sample).value_mbps > 10
    assert sample.tcp.min_rtt_ms is not None
    assert sample.tcp.bytes_sent is not None
    heavy, light = sample.bytes_received, sample.bytes_sent
    if direction is Direction.UPLOAD:
        heavy, light = light, heavy
    assert heavy >= sample.points[-1].total_bytes
    assert 0 < light < heavy / 10


@pytest.mark.parametrize("direction", Direction)
def test_a_server_that_ends_the_test_at_its_length_is_a_full_test(direction: Direction) -> None:
    with measure_server() as server:
        limits = Limits(max_duration_s=1.02)
        sample = measure(f"ws://127.0.0.1:{server.ready.ndt7_port}", direction, limits)
        server.await_outcome(direction.value, "completed")
    assert sample.stop_reason is StopReason.FULL_LENGTH


@pytest.mark.parametrize("direction", Direction)
def test_tls_is_measured_against_a_given_authority(direction: Direction, tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    settings = Ndt7Settings(authorities=files.certificate)
    with scripted_server(serve_properly(2.0), tls=context) as target:
        sample = measure(target.replace("127.0.0.1", "localhost"), direction, settings=settings)
    assert sample.stop_reason is StopReason.FULL_LENGTH
    assert mean_throughput_mbps(sample).value_mbps > 10
    assert sample.bytes_sent > 0
    assert sample.bytes_received > 0


@pytest.mark.parametrize("rate_mbps", [20.0, 40.0])
def test_a_paced_download_reads_its_pace(rate_mbps: float) -> None:
    with scripted_server(serve_properly(4.0, rate_mbps)) as target:
        sample = measure(target, Direction.DOWNLOAD, Limits(max_duration_s=2.0))
    assert mean_throughput_mbps(sample).value_mbps == pytest.approx(rate_mbps, rel=0.1)
    # The server paces in steps of its own, so two looks are taken together.
    points = sample.points[:-1]
    steps = [(one, two) for one, two in zip(points, points[2:], strict=False) if one.elapsed_s > 0.4]
    for one, two in steps:
        step_mbps = (two.total_bytes - one.total_bytes) * 8e-6 / (two.elapsed_s - one.elapsed_s)
        assert 0.4 * rate_mbps < step_mbps < 1.7 * rate_mbps, "a point counts all that has come by then"
    assert (sample.tcp.min_rtt_ms, sample.tcp.bytes_sent, sample.tcp.bytes_retransmitted) == (2.5, 1000, 10)


def test_ipv6_literals_are_targets() -> None:
    with scripted_server(serve_properly(2.0), host="::1") as target:
        assert target.startswith("ws://[::1]:")
        assert measure(target, Direction.DOWNLOAD).points[-1].total_bytes > 0


def test_the_request_names_the_software_and_no_school() -> None:
    seen: list[tuple[str, dict[str, str], dict[str, str]]] = []

    def script(peer: Peer) -> None:
        peer.accept()
        seen.append((peer.request.path, peer.request.query, peer.request.headers))
        peer.fill(0.4)
        peer.await_end()

    with scripted_server(script) as target:
        measure(target, Direction.DOWNLOAD, Limits(max_duration_s=0.3))
    [(path, query, headers)] = seen
    assert path == "/ndt/v7/download"
    assert headers["sec-websocket-protocol"] == "net.measurementlab.ndt.v7"
    assert "mektep-agent" in headers["user-agent"]
    assert headers["host"] == target.removeprefix("ws://")
    assert query["client_name"] == "mektep-agent"
    assert set(query) <= {
        "client_name", "client_version", "client_os", "client_arch", "client_library_name", "client_library_version",
    }  # fmt: skip


@pytest.mark.parametrize("direction", Direction)
def test_pings_are_answered_and_measurements_sent_in_both_directions(direction: Direction) -> None:
    frames: list[Frame] = []

    def listen(peer: Peer, duration_s: float) -> None:
        frames.extend(one for one in peer.frames(duration_s) if one.opcode != BINARY)

    def script(peer: Peer) -> None:
        peer.accept()
        # As fast as a busy server would: a long message of the client's may be under way at each of them.
        filling = threading.Thread(target=listen, args=(peer, 5.0))
        filling.start()
        for tick in range(8):
            if direction is Direction.DOWNLOAD:
                peer.fill((tick + 1) * 0.1, 1 << 16)
            else:
                time.sleep(0.1)
                peer.send_count()
            peer.send_frame(PING, b"tick %d" % tick)
        filling.join()
        peer.send_frame(CLOSE, b"\x03\xe8")
        peer.end()

    with scripted_server(script) as target:
        measure(target, direction, Limits(max_duration_s=1.2))
    assert [one.payload for one in frames if one.opcode == PONG] == [b"tick %d" % tick for tick in range(8)]
    texts = [one.json() for one in frames if one.opcode == TEXT]
    assert 2 <= len(texts) <= 12
    for text in texts:
        assert set(text) == {"AppInfo", "Origin", "Test"}
        assert (text["Origin"], text["Test"]) == ("client", direction.value)
    assert frames[-1].opcode == CLOSE
    assert frames[-1].payload == b"\x03\xe8"


def test_upload_points_are_the_servers_words_and_not_what_the_socket_took() -> None:
    counts: list[int] = []

    def script(peer: Peer) -> None:
        peer.accept()
        due_s = 0.1
        for _ in peer.frames(5.0):
            time.sleep(0.002)  # a link that is slower than the client's buffers
            if peer.elapsed_s() >= due_s:
                due_s += 0.1
                counts.append(peer.received_bytes)
                peer.send_count()
        counts.append(peer.received_bytes)
        peer.send_count()
        peer.send_frame(CLOSE, b"\x03\xe8")
        peer.end()

    with scripted_server(script) as target:
        sample = measure(target, Direction.UPLOAD)
    assert [point.total_bytes for point in sample.points] == counts
    assert sample.points[-1].total_bytes <= sample.bytes_sent


def test_without_a_servers_word_the_kernels_acknowledgements_stand_in() -> None:
    received: list[int] = []

    def script(peer: Peer) -> None:
        peer.accept()
        for _ in peer.frames(5.0):
            pass
        received.append(peer.received_bytes)
        peer.send_frame(CLOSE, b"\x03\xe8")
        peer.end()

    with scripted_server(script) as target:
        sample = measure(target, Direction.UPLOAD)
    assert len(sample.points) >= 5
    assert in_order(sample.points)
    assert 0 < sample.points[-1].total_bytes <= received[0]


def test_a_16_mib_message_is_taken() -> None:
    def script(peer: Peer) -> None:
        peer.accept()
        peer.fill(0.3, 1 << 24)
        peer.close()

    with scripted_server(script) as target:
        sample = measure(target, Direction.DOWNLOAD, Limits(max_duration_s=0.2))
    assert sample.stop_reason is StopReason.FULL_LENGTH
    assert sample.points[-1].total_bytes > 0


def test_bytes_that_come_with_the_answer_count() -> None:
    def script(peer: Peer) -> None:
        peer.accept(ahead=b"\x82\x7e\x20\x00" + bytes(8192))
        time.sleep(0.1)
        peer.close()

    with scripted_server(script) as target:
        sample = measure(target, Direction.DOWNLOAD, Limits(max_duration_s=0.1))
    assert sample.points[-1].total_bytes == 8192


@pytest.mark.parametrize("direction", Direction)
def test_the_stop_rule_ends_a_test_and_the_server_sees_a_proper_end(direction: Direction) -> None:
    rule = StopAfter(1)
    with measure_server() as server:
        engine = Ndt7Engine()
        target = f"ws://127.0.0.1:{server.ready.ndt7_port}"
        sample = asyncio.run(engine.measure(target, direction, Limits(max_duration_s=10.0), rule))
        server.await_count(
            1, "mektep_measure_tests_total", direction=direction.value, outcome="client_closed"
        )  # fmt: skip
    assert sample.stop_reason is StopReason.CONVERGED
    assert sample.duration_s < 5.0
    assert rule.seen[-1] >= 1
    assert sample.points[-1].total_bytes > 0


@pytest.mark.parametrize("direction", Direction)
def test_the_byte_cap_holds(direction: Direction) -> None:
    limits = Limits(max_duration_s=5.0, max_bytes=2_000_000)
    with scripted_server(serve_properly(6.0, 40.0)) as target:
        sample = measure(target, direction, limits)
    assert sample.stop_reason is StopReason.BYTE_CAP
    spent = sample.bytes_received if direction is Direction.DOWNLOAD else sample.bytes_sent
    assert 2_000_000 <= spent < 3_500_000


@pytest.mark.parametrize("direction", Direction)
def test_cancelling_breaks_off_at_once_and_leaves_no_thread(direction: Direction) -> None:
    ended = threading.Event()

    def script(peer: Peer) -> None:
        try:
            peer.accept()
            if direction is Direction.DOWNLOAD:
                peer.fill(20.0)
            else:
                peer.await_end()
        finally:
            ended.set()

    async def run(target: str) -> float:
        test = asyncio.ensure_future(Ndt7Engine().measure(target, direction, Limits(max_duration_s=10.0), FullLength()))
        await asyncio.sleep(0.5)
        began_s = time.monotonic()
        test.cancel()
        with pytest.raises(asyncio.CancelledError):
            await test
        return time.monotonic() - began_s

    with scripted_server(script) as target:
        assert asyncio.run(run(target)) < 1.0
        assert ended.wait(5.0)
    assert [thread.name for thread in threading.enumerate() if "asyncio" in thread.name] == []


def test_a_defect_in_a_stop_rule_is_no_failure_of_the_network() -> None:
    class Broken:
        def decide(self, points: Sequence[Point]) -> StopReason | None:
            raise ZeroDivisionError

    with scripted_server(serve_properly(3.0)) as target, pytest.raises(ZeroDivisionError):
        asyncio.run(Ndt7Engine().measure(target, Direction.DOWNLOAD, SHORT, Broken()))


def test_a_target_that_is_none_says_what_one_looks_like() -> None:
    with pytest.raises(EngineError, match="ws://host:port") as caught:
        measure("http://127.0.0.1", Direction.DOWNLOAD)
    assert caught.value.kind is FailureKind.ENGINE_UNAVAILABLE
