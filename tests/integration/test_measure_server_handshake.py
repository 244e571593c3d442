"""What the NDT7 port answers before a test begins, over real sockets."""

import time
from collections.abc import Generator

import msgspec
import pytest

from tests.support.loopback import loopbacks
from tests.support.raw_websocket import DOWNLOAD, UPLOAD, RawClient, close_frame, request
from tests.support.running_measure_server import SETTINGS, SHORT, RunningServer, measure_server

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def server() -> Generator[RunningServer, None, None]:
    with measure_server() as running:
        yield running


def test_the_front_page_says_what_this_is(server: RunningServer) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, headers, body = client.answer()
        assert (status, client.end()) == (200, "closed")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert "net.measurementlab.ndt.v7" in body


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request("/elsewhere"), 404),
        (request(DOWNLOAD, Upgrade=None), 426),
        (request(UPLOAD, Sec_WebSocket_Protocol=None), 400),
        (request(DOWNLOAD + "?a=1&a=1"), 400),
        (b"POST /ndt/v7/upload HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 405),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000, 431),
    ],
    ids=["path", "no-upgrade", "no-subprotocol", "twice", "post", "tls-on-the-plain-port", "huge-head"],
)
def test_a_refusal_is_read_by_the_client_and_the_server_closes(
    server: RunningServer, asked: bytes, status: int
) -> None:
    with RawClient(server.ready.ndt7_port) as client:
        client.send(asked)
        began_s = time.monotonic()
        assert client.answer()[0] == status
        assert client.end() == "closed"
        assert time.monotonic() - began_s < 5


def test_a_request_that_comes_byte_by_byte_is_ended_by_its_deadline() -> None:
    with measure_server() as server, RawClient(server.ready.ndt7_port) as client:
        began_s = time.monotonic()
        client.socket.settimeout(0.05)
        ended = None
        for byte in request(DOWNLOAD):
            client.send(bytes((byte,)))
            try:
                ended = client.socket.recv(1_000)
                break
            except TimeoutError:
                continue
        assert ended is not None
        assert ended.startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began_s < SHORT.handshake_timeout_s + 2
        server.await_count(1, "mektep_measure_connections_without_test_total", reason="timed_out")


def test_a_client_that_says_nothing_or_leaves_is_ended_and_counted() -> None:
    with measure_server() as server:
        with RawClient(server.ready.ndt7_port) as silent:
            assert silent.answer()[0] == 408
        with RawClient(server.ready.ndt7_port):
            pass
        server.await_count(1, "mektep_measure_connections_without_test_total", reason="timed_out")
        server.await_count(1, "mektep_measure_connections_without_test_total", reason="connection_lost")


def test_a_full_server_says_when_to_come_again_and_has_room_afterwards() -> None:
    with measure_server(msgspec.structs.replace(SETTINGS, max_tests=1)) as server:
        with RawClient(server.ready.ndt7_port) as first, RawClient(server.ready.ndt7_port) as second:
            first.open(UPLOAD)
            second.send(request(DOWNLOAD))
            status, headers, body = second.answer()
            assert status == 503
            assert headers["retry-after"] == "2"
            assert "come again" in body
            first.send(close_frame())
            assert [one.close_code for one in first.frames()][-1] == 1000
        server.await_count(0, "mektep_measure_active_tests", direction="upload")
        with RawClient(server.ready.ndt7_port) as third:
            third.open(DOWNLOAD)
        assert server.count("mektep_measure_connections_without_test_total", reason="busy") == 1


def test_connections_beyond_the_waiting_room_are_reset_and_cost_nothing() -> None:
    room_count = SETTINGS.max_tests * 3 + 64
    with measure_server(timing=msgspec.structs.replace(SHORT, handshake_timeout_s=10.0)) as server:
        crowd = [RawClient(server.ready.ndt7_port) for _ in range(room_count)]
        try:
            with RawClient(server.ready.ndt7_port) as late:
                assert late.end() == "reset"
        finally:
            for client in crowd:
                client.socket.close()


def test_ipv6_and_ipv4_have_the_same_port_and_keep_their_addresses() -> None:
    with measure_server() as server:
        for host in loopbacks():
            shown = f"[{host}]:" if ":" in host else f"{host}:"
            with RawClient(server.ready.ndt7_port, host) as client:
                client.open(UPLOAD)
                client.send(close_frame())
                last = [one for one in client.frames() if one.opcode == 0x1][-1].json()
                assert last["ConnectionInfo"]["Client"].startswith(shown)
                assert last["ConnectionInfo"]["Server"] == f"{shown}{server.ready.ndt7_port}"


def test_a_server_that_is_told_to_end_breaks_off_what_runs() -> None:
    with measure_server() as server:
        client = RawClient(server.ready.ndt7_port)
        client.open(DOWNLOAD)
        began_s = time.monotonic()
    with client:
        client.end()
    assert time.monotonic() - began_s < SHORT.runtime_s
