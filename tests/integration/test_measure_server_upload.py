"""NDT7 uploads against the real server, frame by frame, and clients that misbehave."""

import threading
import time
from collections.abc import Generator

import pytest

from tests.support.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    UPLOAD,
    Frame,
    RawClient,
    close_frame,
    frame,
    request,
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


LARGEST_BYTES = 1 << 24


def _measurements(frames: list[Frame]) -> list[dict[str, object]]:
    return [one.json() for one in frames if one.opcode == TEXT]


@pytest.mark.parametrize("size", [1 << 10, 1 << 13, 1 << 20, 1 << 23, LARGEST_BYTES])
def test_messages_of_all_sizes_are_counted_to_the_byte(server: RunningServer, size: int) -> None:
    message = frame(BINARY, bytes(size))
    count = max(1, (1 << 24) // size)
    with RawClient(server.ready.ndt7_port) as client:
        client.open(UPLOAD)
        for _ in range(count):
            client.send(message)
        client.send(close_frame())
        frames = list(client.frames())
        assert client.end() == "closed"
        server.await_outcome("upload", "client_closed")
        server.await_count(size * count, "mektep_measure_payload_bytes_total", direction="upload")
    assert [one.opcode for one in frames][-2:] == [TEXT, CLOSE]
    last = frames[-2].json()
    assert last["AppInfo"]["NumBytes"] == size * count
    assert last["TCPInfo"]["BytesReceived"] >= len(message) * count
    assert last["Test"] == "upload"


def test_a_whole_upload_is_measured_all_along_and_closed_by_the_server(server: RunningServer) -> None:
    message = frame(BINARY, bytes(1 << 16))
    with RawClient(server.ready.ndt7_port) as client:
        client.open(UPLOAD)
        began_s = time.monotonic()
        closing = threading.Event()
        frames: list[Frame] = []

        def read() -> None:
            frames.extend(client.frames())
            closing.set()

        reader = threading.Thread(target=read)
        reader.start()
        sent_bytes = 0
        while not closing.is_set():
            client.send(message)
            sent_bytes += 1 << 16
        client.send(close_frame())
        reader.join()
        assert client.end() == "closed"
        assert SHORT.runtime_s <= time.monotonic() - began_s < SHORT.max_runtime_s
        server.await_outcome("upload", "completed")
    measured = [one.json() for one in frames if one.opcode == TEXT]
    assert len(measured) >= 2
    assert sum(one.opcode == PING for one in frames) >= 1
    received = [one["TCPInfo"]["BytesReceived"] for one in measured]
    assert received == sorted(received)
    assert 0 < measured[-1]["AppInfo"]["NumBytes"] <= sent_bytes
    assert frames[-1].close_code == 1000


def test_text_pings_and_pieces_among_the_load_are_no_load(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(UPLOAD)
        client.send(frame(BINARY, b"12", final=False) + frame(PING, b"now") + frame(CONTINUATION, b"345"))
        client.send(frame(TEXT, b'{"AppInfo":{"NumBytes":5}}') + close_frame())
        frames = list(client.frames())
    assert Frame(PONG, b"now") in frames
    assert frames[-2].json()["AppInfo"]["NumBytes"] == 5


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x82\xff" + (LARGEST_BYTES + 1).to_bytes(8, "big") + bytes(4), 1009),
        (frame(BINARY, bytes(1_000), masked=False), 1002),
        (frame(CONTINUATION, bytes(10)), 1002),
        (b"\xff" * 5_000, 1002),
    ],
    ids=["too-big", "unmasked", "nothing-to-continue", "garbage"],
)
def test_a_client_that_breaks_the_protocol_is_told_and_closed(server: RunningServer, sent: bytes, code: int) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(UPLOAD)
        client.send(frame(BINARY, bytes(1 << 13)) + sent)
        assert [one.close_code for one in client.frames() if one.opcode == CLOSE] == [code]
        assert client.end() == "closed"
        server.await_outcome("upload", "protocol_error")


def test_load_that_follows_the_request_in_one_piece_is_not_lost(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.send(request(UPLOAD) + frame(BINARY, bytes(1_000)) + close_frame())
        assert client.answer()[0] == 101
        assert list(client.frames())[-2].json()["AppInfo"]["NumBytes"] == 1_000


def test_a_client_that_sends_nothing_is_closed_after_the_test_s_time(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(UPLOAD)
        began_s = time.monotonic()
        frames = list(client.frames())
        assert SHORT.runtime_s <= time.monotonic() - began_s < SHORT.max_runtime_s
        assert frames[-2].json()["AppInfo"]["NumBytes"] == 0


def test_a_client_that_reads_nothing_and_asks_much_is_cut_off_and_costs_no_memory(server: RunningServer) -> None:
    pings = frame(PING, bytes(125)) * 500
    with RawClient(server.ready.ndt7_port, receive_bytes=4_096) as client:
        client.open(UPLOAD)
        before_bytes = server.count("process_resident_memory_bytes")
        began_s = time.monotonic()
        while time.monotonic() - began_s < SHORT.runtime_s * 0.9:
            client.send(pings)
        assert server.count("process_resident_memory_bytes") - before_bytes < 2e6
        assert client.end() == "reset"
        server.await_count(0, "mektep_measure_active_tests", direction="upload")
        assert time.monotonic() - began_s < SHORT.max_runtime_s + 1


def test_a_client_that_vanishes_in_the_middle_of_a_message_is_noticed(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.open(UPLOAD)
        client.send(frame(BINARY, bytes(1 << 20))[: 1 << 19])
    server.await_outcome("upload", "connection_lost")
