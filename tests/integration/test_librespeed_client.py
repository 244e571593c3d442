"""Our LibreSpeed client against our own endpoints, and against servers that do wrong: never a wrong number."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random

import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.engines.engine import EngineError, Limits, StopRule
from mektep_agent.engines.librespeed import LibrespeedEngine, LibrespeedSettings
from mektep_agent.link.boot import boot_id
from mektep_agent.link.conditions import conditions
from mektep_agent.probes.manner import AlwaysFullLength
from mektep_agent.probes.probe import Run
from mektep_agent.probes.throughput import ThroughputProbe
from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.throughput import FullLength
from mektep_wire import Direction, EngineName, FailureKind, Metric, Outcome, StopReason, Trigger
from tests.support.running_measure_server import RunningServer, measure_server
from tests.support.scripted_http import Peer, scripted_http

pytestmark = pytest.mark.alone

LIMITS = Limits(max_duration_s=0.8, connect_timeout_s=1.0, stall_timeout_s=0.6)
LONG = Limits(max_duration_s=3.0, connect_timeout_s=1.0, stall_timeout_s=0.6)
FULL = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with measure_server() as running:
        yield running


def measure(
    target: str, direction: Direction, limits: Limits = LIMITS, stop: StopRule | None = None, streams_count: int = 3
) -> ThroughputSample:
    engine = LibrespeedEngine(LibrespeedSettings(streams_count=streams_count))
    return asyncio.run(engine.measure(target, direction, limits, stop or FullLength()))


def failure(script: Callable[[Peer], None], direction: Direction, limits: Limits = LIMITS) -> EngineError:
    before = threading.active_count()
    with scripted_http(script) as target, pytest.raises(EngineError) as caught:
        measure(target, direction, limits)
    assert 0 < len(caught.value.detail) <= 500
    assert caught.value.bytes_sent > 0
    assert threading.active_count() <= before + 1  # the executor keeps one
    return caught.value


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("folder", ["", "/backend/", "/"])
def test_both_ways_against_our_own_endpoints(server: RunningServer, direction: Direction, folder: str) -> None:
    sample = measure(f"http://127.0.0.1:{server.ready.ndt7_port}{folder}", direction)
    assert sample.stop_reason is StopReason.FULL_LENGTH
    assert sample.streams_count == 3
    assert 6 <= len(sample.points) <= 9
    assert [point.elapsed_s for point in sample.points] == sorted(point.elapsed_s for point in sample.points)
    assert [point.total_bytes for point in sample.points] == sorted(point.total_bytes for point in sample.points)
    spent_bytes = sample.bytes_received if direction is Direction.DOWNLOAD else sample.bytes_sent
    assert sample.points[-1].total_bytes <= spent_bytes


def test_an_upload_never_says_more_than_the_server_took_in(server: RunningServer) -> None:
    counted = server.fresh()
    sample = measure(f"http://127.0.0.1:{server.ready.ndt7_port}", Direction.UPLOAD)
    time.sleep(0.3)
    taken = counted.count("mektep_measure_web_payload_bytes_total", direction="upload")
    assert 0 < sample.points[-1].total_bytes <= taken + 3 * (8 << 20)  # what its kernel had when we left is not read


def test_a_stop_rule_ends_it_and_says_why(server: RunningServer) -> None:
    class Soon:
        def decide(self, points: Sequence[Point]) -> StopReason | None:
            return StopReason.CONVERGED if len(points) >= 3 else None

    sample = measure(f"http://127.0.0.1:{server.ready.ndt7_port}", Direction.DOWNLOAD, LONG, Soon())
    assert sample.stop_reason is StopReason.CONVERGED
    assert sample.duration_s < 1.0


@pytest.mark.parametrize("direction", Direction)
def test_a_byte_cap_ends_it(server: RunningServer, direction: Direction) -> None:
    capped = Limits(max_duration_s=3.0, max_bytes=1_000_000)
    sample = measure(f"http://127.0.0.1:{server.ready.ndt7_port}", direction, capped)
    assert sample.stop_reason is StopReason.BYTE_CAP
    assert sample.duration_s < 1.0


def test_a_server_that_closes_each_connection_is_asked_again(server: RunningServer) -> None:
    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(FULL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") % 200_000 + bytes(200_000))

    with scripted_http(script) as target:
        sample = measure(target, Direction.DOWNLOAD)
    assert sample.stop_reason is StopReason.FULL_LENGTH
    assert sample.points[-1].total_bytes > 1_000_000


def not_found(peer: Peer) -> None:
    peer.hear()
    peer.say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    peer.await_end()


def portal(peer: Peer) -> None:
    peer.hear()
    peer.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n" + b"<h1>Log in first</h1>")
    peer.await_end()


def silent(peer: Peer) -> None:
    peer.await_end()


def other_protocol(peer: Peer) -> None:
    peer.say(b"SSH-2.0-OpenSSH_9.2\r\n")
    peer.await_end()


def cut(peer: Peer) -> None:
    peer.hear()
    peer.say(FULL % 50_000_000 + bytes(100_000))
    peer.reset()


def closes(peer: Peer) -> None:
    peer.hear()


def tiny(peer: Peer) -> None:
    while True:
        peer.hear()
        peer.say(FULL % 3 + b"abc")


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (not_found, FailureKind.HANDSHAKE_REFUSED),
        (portal, FailureKind.CAPTIVE_PORTAL),
        (silent, FailureKind.STALLED),
        (other_protocol, FailureKind.PROTOCOL_ERROR),
        (cut, FailureKind.CONNECTION_RESET),
        (closes, FailureKind.CLOSED_EARLY),
        (tiny, FailureKind.PROTOCOL_ERROR),
    ],
)
def test_a_server_that_does_wrong_is_a_failure_of_its_kind(script: Callable[[Peer], None], kind: FailureKind) -> None:
    assert failure(script, Direction.DOWNLOAD, LONG).kind is kind


def test_a_server_that_takes_nothing_is_seen_as_stalled() -> None:
    def script(peer: Peer) -> None:
        peer.hear()
        time.sleep(1.5)

    trouble = failure(script, Direction.UPLOAD, LONG)
    assert trouble.kind is FailureKind.STALLED


def test_what_came_before_a_stall_counts_where_it_was_enough() -> None:
    def script(peer: Peer) -> None:
        peer.hear()
        peer.say(FULL % 500_000_000)
        for _ in range(14):
            peer.say(bytes(20_000))
            time.sleep(0.1)
        time.sleep(2.0)

    with scripted_http(script) as target:
        sample = measure(target, Direction.DOWNLOAD, Limits(max_duration_s=8.0, stall_timeout_s=0.5))
    assert sample.stop_reason is StopReason.CONNECTION_LOST
    assert 1.0 <= sample.duration_s <= 1.7
    assert sample.points[-1].total_bytes == pytest.approx(3 * 14 * 20_000)


def test_nobody_there_is_a_refused_connection() -> None:
    with pytest.raises(EngineError) as refused:
        measure("http://127.0.0.1:1", Direction.DOWNLOAD)
    assert refused.value.kind is FailureKind.CONNECTION_REFUSED


def test_a_cancelled_test_ends_at_once_and_leaves_no_thread(server: RunningServer) -> None:
    async def cancelled() -> float:
        target = f"http://127.0.0.1:{server.ready.ndt7_port}"
        task = asyncio.create_task(LibrespeedEngine().measure(target, Direction.UPLOAD, LONG, FullLength()))
        await asyncio.sleep(0.5)
        began_s = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began_s

    assert asyncio.run(cancelled()) < 0.6
    assert not [one for one in threading.enumerate() if one.name == "librespeed"]


def test_it_says_who_it_is() -> None:
    engine = LibrespeedEngine()
    assert (engine.name, engine.obstacle()) == (EngineName.LIBRESPEED, None)


def test_its_readings_name_it_its_streams_and_no_figure_of_ndt7(server: RunningServer) -> None:
    target = f"http://127.0.0.1:{server.ready.ndt7_port}"
    time_source, chance = SystemTime(), Random(7)
    probe = ThroughputProbe(
        LibrespeedEngine(),
        target,
        AlwaysFullLength(),
        time_source,
        chance,
        limits=LIMITS,
        directions=(Direction.DOWNLOAD,),
    )
    (found,) = asyncio.run(probe.run(Run(trigger=Trigger.MANUAL, boot_id=boot_id(), conditions=conditions())))
    assert (found.outcome, found.engine, found.streams_count) == (Outcome.OK, EngineName.LIBRESPEED, 3)
    assert Metric.DOWNLOAD_THROUGHPUT_MBPS in found.values
    assert Metric.DOWNLOAD_NDT7_MBPS not in found.values
