"""Connections that take a place and give nothing: they end soon, and everybody else is served meanwhile."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from mektep_collector.api.connection_bounds import MAX_HEAD_BYTES, BoundedConnection

DEADLINE_S = 20.0
SLOW_COUNT = 200


class Soon(BoundedConnection):
    head_deadline_s = 1.0


class Patient(BoundedConnection):
    """Waits for longer than any of these tests takes."""

    head_deadline_s = 120.0
    max_connections = 300


@contextmanager
def _serving(connection: type[BoundedConnection]) -> Iterator[int]:
    server = uvicorn.Server(
        uvicorn.Config(PlainTextResponse("well"), http=connection, log_level="error", lifespan="off")
    )
    with socket.create_server(("127.0.0.1", 0), backlog=2_048) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(DEADLINE_S)


def _connected(opened: ExitStack, port: int, said: bytes) -> socket.socket:
    peer = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S))
    peer.sendall(said)
    return peer


def _answer(peer: socket.socket) -> bytes:
    got = b""
    while piece := peer.recv(4_096):
        got += piece
    return got


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "], ids=["nothing", "half a head"])
def test_others_are_served_while_slow_connections_are_held(said: bytes) -> None:
    with _serving(Patient) as port, ExitStack() as opened:
        slow = [_connected(opened, port, said) for _ in range(SLOW_COUNT)]
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=DEADLINE_S).text == "well"
        told, _, _ = select.select(slow, [], [], 0)
        assert told == [], "they were ended already: the test shows nothing"


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "], ids=["nothing", "half a head"])
def test_slow_connections_are_ended(said: bytes) -> None:
    with _serving(Soon) as port, ExitStack() as opened:
        slow = [_connected(opened, port, said) for _ in range(SLOW_COUNT)]
        assert all(_answer(peer).startswith(b"HTTP/1.1 408 Request Timeout\r\n") for peer in slow)


def test_a_second_request_of_a_connection_must_come_soon_too() -> None:
    with _serving(Soon) as port, ExitStack() as opened:
        peer = _connected(opened, port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT")
        answer = _answer(peer)
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert answer.count(b"HTTP/1.1 408 ") == 1


def test_a_head_without_end_is_cut_off() -> None:
    with _serving(BoundedConnection) as port, ExitStack() as opened:
        peer = _connected(opened, port, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * MAX_HEAD_BYTES)
        assert _answer(peer).startswith(b"HTTP/1.1 431 ")


def test_connections_beyond_the_limit_are_told_to_come_later() -> None:
    with _serving(Patient) as port, ExitStack() as opened:
        for _ in range(Patient.max_connections):
            _connected(opened, port, b"")
        answer = _answer(_connected(opened, port, b""))
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\n")
