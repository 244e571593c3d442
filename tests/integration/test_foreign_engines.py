"""The engines that run others' programs: a real iperf3, and a real speedtest-cli against our Mini endpoints."""

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mektep_agent.engines.engine import EngineError, Limits, ThroughputEngine
from mektep_agent.engines.iperf3 import Iperf3Engine, Iperf3Settings
from mektep_agent.engines.speedtest import Consent, SpeedtestEngine, SpeedtestSettings
from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.throughput import FullLength
from mektep_collector.measure.specification import Timing
from mektep_wire import Direction, FailureKind, StopReason
from tests.support.requirement import require
from tests.support.running_measure_server import RunningServer, measure_server

pytestmark = [pytest.mark.peer, pytest.mark.alone]

LIMITS = Limits(max_duration_s=1.0, connect_timeout_s=3.0)
ALLOWED = SpeedtestSettings(consent=Consent.ALLOWED)


class Soon:
    def decide(self, points: Sequence[Point]) -> StopReason | None:
        return StopReason.CONVERGED if len(points) >= 3 else None


def measure(engine: ThroughputEngine, target: str, direction: Direction, limits: Limits = LIMITS) -> ThroughputSample:
    return asyncio.run(engine.measure(target, direction, limits, FullLength()))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def iperf3() -> Iterator[str]:
    require(shutil.which("iperf3") is not None, "the program iperf3 is not installed")
    port = free_port()
    server = subprocess.Popen(
        ["iperf3", "--server", "--port", str(port), "--bind", "127.0.0.1", "--json"], stdout=subprocess.DEVNULL
    )
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        with socket.socket() as knock:
            if not knock.connect_ex(("127.0.0.1", port)):
                break
        time.sleep(0.02)
    time.sleep(0.2)  # iperf3 takes our knock for a client, and comes back from it
    try:
        yield f"iperf3://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(5)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with measure_server(timing=Timing()) as running:
        yield running


@pytest.mark.parametrize("direction", Direction)
def test_iperf3_measures_both_ways(iperf3: str, direction: Direction) -> None:
    engine = Iperf3Engine()
    sample = measure(engine, iperf3, direction)
    assert engine.obstacle() is None
    assert engine.version()[0] == "3"
    assert sample.stop_reason is StopReason.FULL_LENGTH
    assert sample.duration_s == pytest.approx(1.0, abs=0.2)
    assert sample.points[-1].total_bytes > 1_000_000
    if direction is Direction.DOWNLOAD:
        assert len(sample.points) >= 9


def test_iperf3_keeps_to_a_byte_cap(iperf3: str) -> None:
    capped = Limits(max_duration_s=3.0, connect_timeout_s=3.0, max_bytes=5_000_000)
    sample = measure(Iperf3Engine(), iperf3, Direction.DOWNLOAD, capped)
    assert sample.stop_reason is StopReason.BYTE_CAP
    assert sample.bytes_received < 8_000_000


def test_a_busy_iperf3_server_is_a_refusal_in_its_own_words(iperf3: str) -> None:
    async def both() -> tuple[ThroughputSample | BaseException, ThroughputSample | BaseException]:
        first = asyncio.create_task(Iperf3Engine().measure(iperf3, Direction.UPLOAD, LIMITS, FullLength()))
        await asyncio.sleep(0.4)
        second = asyncio.create_task(Iperf3Engine().measure(iperf3, Direction.UPLOAD, LIMITS, FullLength()))
        return await asyncio.gather(first, second, return_exceptions=True)

    first, second = asyncio.run(both())
    assert isinstance(first, ThroughputSample)
    assert isinstance(second, EngineError)
    assert second.kind is FailureKind.HANDSHAKE_REFUSED
    assert "busy" in second.detail


def test_nobody_there_is_a_refused_connection_for_each() -> None:
    for engine, target in (
        (Iperf3Engine(), "iperf3://127.0.0.1:1"),
        (SpeedtestEngine(ALLOWED), "http://127.0.0.1:1/mini/"),
    ):
        with pytest.raises(EngineError) as refused:
            measure(engine, target, Direction.DOWNLOAD)
        assert refused.value.kind is FailureKind.CONNECTION_REFUSED


def test_a_missing_iperf3_says_how_to_get_it() -> None:
    engine = Iperf3Engine(Iperf3Settings(program="iperf3-of-nowhere"))
    assert "install iperf3" in (engine.obstacle() or "")
    assert engine.version() == "unknown"
    with pytest.raises(EngineError) as refused:
        measure(engine, "iperf3://127.0.0.1", Direction.DOWNLOAD)
    assert refused.value.kind is FailureKind.ENGINE_UNAVAILABLE


def test_a_cancelled_iperf3_leaves_no_process(iperf3: str) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(Iperf3Engine().measure(iperf3, Direction.UPLOAD, Limits(), FullLength()))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert not _children("iperf3 --client")


@pytest.mark.parametrize("direction", Direction)
def test_speedtest_cli_measures_both_ways_in_a_child(server: RunningServer, direction: Direction) -> None:
    counted = server.fresh()
    engine = SpeedtestEngine(ALLOWED)
    sample = measure(engine, f"http://127.0.0.1:{server.ready.ndt7_port}/mini/", direction)
    time.sleep(0.2)
    moved = counted.count("mektep_measure_web_payload_bytes_total", direction=direction.value)
    assert sample.stop_reason is StopReason.FULL_LENGTH
    assert sample.streams_count == (1 if direction is Direction.UPLOAD else 4)
    # Never more than the server saw, so that nothing is over-reported.
    assert 1_000_000 < sample.points[-1].total_bytes <= moved * 1.02
    assert not _children("engines.speedtest.child")


def test_an_upload_after_a_fast_download_has_several_streams(server: RunningServer) -> None:
    engine, target = SpeedtestEngine(ALLOWED), f"http://127.0.0.1:{server.ready.ndt7_port}/mini/"
    measure(engine, target, Direction.DOWNLOAD)
    assert measure(engine, target, Direction.UPLOAD).streams_count == 4


def test_a_stop_rule_ends_speedtest_cli(server: RunningServer) -> None:
    target = f"http://127.0.0.1:{server.ready.ndt7_port}/mini/"
    began_s = time.monotonic()
    sample = asyncio.run(SpeedtestEngine(ALLOWED).measure(target, Direction.DOWNLOAD, Limits(), Soon()))
    assert sample.stop_reason is StopReason.CONVERGED
    assert time.monotonic() - began_s < 5


def test_what_is_no_mini_server_is_refused(server: RunningServer) -> None:
    with pytest.raises(EngineError) as refused:
        measure(SpeedtestEngine(ALLOWED), f"http://127.0.0.1:{server.ready.ndt7_port}/elsewhere/", Direction.DOWNLOAD)
    assert refused.value.kind is FailureKind.PROTOCOL_ERROR
    assert "Mini" in refused.value.detail


def test_without_consent_speedtest_cli_does_not_run() -> None:
    engine = SpeedtestEngine()
    assert "MEKTEP_SPEEDTEST=allowed" in (engine.obstacle() or "")
    with pytest.raises(EngineError) as refused:
        measure(engine, "speedtest.net", Direction.DOWNLOAD)
    assert refused.value.kind is FailureKind.ENGINE_UNAVAILABLE


def _children(words: str) -> list[str]:
    """Return the command lines of this process's children that hold `words`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if int(parent) == os.getpid() and words in line:
                found.append(line)
    return found
