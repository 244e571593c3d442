"""NDT7 downloads against the real server, frame by frame, and clients that misbehave."""

import socket
import time
from collections.abc import Generator
from itertools import pairwise

import pytest

from tests.support.raw_websocket import (
    BINARY,
    CLOSE,
    DOWNLOAD,
    PING,
    PONG,
    TEXT,
    Frame,
    RawClient,
    close_frame,
    frame,
)
from tests.support.running_measure_server import SHORT, RunningServer, measure_server

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def running() -> Generator[RunningServer, None, None]:
    with measure_server() as server:
        yield server


@pytest.fixture
def server(running: RunningServer) -> RunningServer:
    return running.fresh()


EARLY_EXIT_BYTES = 250_000_000


def _download(server: RunningServer, path: str = DOWNLOAD) -> tuple[list[Frame], list[int], float, str]:
    """Run one whole download; return frames without load, load sizes, seconds, and how TCP ended."""
    with RawClient(server.ready.ndt7_port) as client:
        client.open(path)
        began_s = time.monotonic()
        sizes: list[int] = []
        others: list[Frame] = []
        for one in client.frames():
            if one.opcode == BINARY:
                sizes.append(len(one.payload))
                continue
            others.append(one)
            if one.opcode == PING:
                client.send(frame(PONG, one.payload))
        client.send(close_frame())
        ended = client.end()
        took_s = time.monotonic() - began_s
        server.await_outcome("download", "early_exit" if "early_exit" in path else "completed")
        server.await_count(sum(sizes), "mektep_measure_payload_bytes_total", direction="download")
    return others, sizes, took_s, ended


def test_a_download_is_as_the_specification_has_it(server: RunningServer) -> None:
    others, sizes, took_s, ended = _download(server)
    # Each end looks at its own clock at its own moment: the client's first look may come after the server's.
    assert 0.99 * SHORT.runtime_s <= took_s < SHORT.max_runtime_s
    assert ended == "closed"

    assert sizes[0] == 1 << 13
    assert max(sizes) == 1 << 20
    total = 0
    for size, following in pairwise(sizes):
        total += size
        assert following == (size * 2 if size < 1 << 20 and size <= total / 64 else size)

    measurements = [one.json() for one in others if one.opcode == TEXT]
    assert len(measurements) >= 2, "a tick comes every 625 ms at least, and the summary"
    assert sum(one.opcode == PING for one in others) >= 1
    assert (others[-1].opcode, others[-1].close_code) == (CLOSE, 1000)
    for one in measurements:
        assert one["Origin"] == "server"
        assert one["Test"] == "download"
        assert one["ConnectionInfo"]["UUID"] == measurements[0]["ConnectionInfo"]["UUID"]
        assert one["ConnectionInfo"]["StartTime"].endswith("Z")
        assert one["TCPInfo"]["ElapsedTime"] == one["AppInfo"]["ElapsedTime"]
        assert one["TCPInfo"]["BytesAcked"] <= one["TCPInfo"]["BytesSent"]
    elapsed_us = [one["AppInfo"]["ElapsedTime"] for one in measurements]
    assert elapsed_us == sorted(elapsed_us)

    summary = measurements[-1]
    assert others[-2].opcode == TEXT
    assert summary["AppInfo"]["NumBytes"] == sum(sizes)
    assert summary["AppInfo"]["ElapsedTime"] >= SHORT.runtime_s * 1e6


def test_ticks_keep_their_bounds(server: RunningServer) -> None:
    others, _, _, _ = _download(server)
    ticks_us = [one.json()["AppInfo"]["ElapsedTime"] for one in others if one.opcode == TEXT][:-1]
    assert ticks_us[0] <= 900_000
    assert all(24_000 <= later - sooner <= 900_000 for sooner, later in pairwise(ticks_us))


def test_an_early_exit_stops_at_a_quarter_of_a_gigabyte(server: RunningServer) -> None:
    others, sizes, _, ended = _download(server, DOWNLOAD + "?early_exit=250")
    last = [one.json() for one in others if one.opcode == TEXT][-1]
    assert last["TCPInfo"]["BytesAcked"] >= EARLY_EXIT_BYTES
    assert sum(sizes) >= EARLY_EXIT_BYTES
    assert (others[-1].close_code, ended) == (1000, "closed")


def test_a_ping_is_answered_with_its_payload_in_between(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(DOWNLOAD)
        client.send(frame(PING, b"still there?"))
        assert any(one.opcode == PONG and one.payload == b"still there?" for one in client.frames())


def test_a_client_may_close_before_its_time_and_is_answered_at_once(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(DOWNLOAD)
        frames = client.frames()
        assert next(frames).opcode == BINARY
        client.send(close_frame(1001))
        began_s = time.monotonic()
        assert [one.close_code for one in frames][-1] == 1001
        assert client.end() == "closed"
        assert time.monotonic() - began_s < SHORT.runtime_s / 2
        server.await_outcome("download", "client_closed")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(BINARY, bytes(1_024)), 1003),
        (frame(TEXT, b"{}", masked=False), 1002),
        (b"GET / HTTP/1.1\r\n\r\n", 1002),
    ],
    ids=["load-in-the-wrong-direction", "unmasked", "garbage"],
)
def test_a_client_that_breaks_the_protocol_is_told_and_closed(server: RunningServer, sent: bytes, code: int) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(DOWNLOAD)
        client.send(sent)
        assert [one.close_code for one in client.frames() if one.opcode == CLOSE] == [code]
        assert client.end() == "closed"
        server.await_outcome("download", "protocol_error")


def test_client_measurements_are_taken_and_do_not_disturb(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(DOWNLOAD)
        client.send(frame(TEXT, b'{"AppInfo":{"ElapsedTime":1,"NumBytes":2}}') * 10 + frame(TEXT, b"not JSON"))
        assert [one.close_code for one in client.frames() if one.opcode == CLOSE] == [1000]


def test_a_client_that_stops_reading_is_cut_off_at_the_deadline(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port, receive_bytes=4_096) as client:
        client.open(DOWNLOAD)
        began_s = time.monotonic()
        server.await_outcome("download", "timed_out")
        assert time.monotonic() - began_s < SHORT.max_runtime_s + 1
        assert client.end() == "reset"


def test_a_client_that_vanishes_is_noticed_at_once(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(DOWNLOAD)
    began_s = time.monotonic()
    server.await_outcome("download", "connection_lost")
    assert time.monotonic() - began_s < SHORT.runtime_s


def test_a_client_that_never_answers_the_closing_is_cut_off(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(DOWNLOAD)
        assert [one.opcode for one in client.frames()][-1] == CLOSE
        assert client.end() == "reset"
        server.await_outcome("download", "closing_unanswered")


def test_a_client_that_ends_tcp_after_the_closing_frame_has_completed(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(DOWNLOAD)
        assert [one.opcode for one in client.frames()][-1] == CLOSE
        client.socket.shutdown(socket.SHUT_RDWR)
    server.await_outcome("download", "completed")
