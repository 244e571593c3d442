"""The NDT7 client's way to a server: names, refusals, portals, certificates, proxies. Each trouble has its kind."""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.engines.engine import EngineError, Limits
from mektep_agent.engines.ndt7 import Ndt7Engine, Ndt7Settings
from mektep_agent.engines.ndt7.connect import Connector
from mektep_agent.engines.resolve import Address, resolve
from mektep_agent.statistics.throughput import FullLength
from mektep_wire import Direction, FailureKind
from tests.support.certificate import make_certificate
from tests.support.hostile_ndt7 import Peer, Script, scripted_server, serve_properly

pytestmark = pytest.mark.alone

LIMITS = Limits(max_duration_s=0.4, connect_timeout_s=0.6, stall_timeout_s=1.0)


def failure(
    target: str, settings: Ndt7Settings | None = None, direction: Direction = Direction.DOWNLOAD
) -> EngineError:
    began_s = time.monotonic()
    with pytest.raises(EngineError) as caught:
        asyncio.run(Ndt7Engine(settings).measure(target, direction, LIMITS, FullLength()))
    assert time.monotonic() - began_s < 3.0
    assert 0 < len(caught.value.detail) <= 500
    return caught.value


@contextmanager
def deaf_port() -> Generator[int, None, None]:
    """A port that answers no further connection: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(("127.0.0.1", port))
            yield port
        finally:
            for one in waiting:
                one.close()


@contextmanager
def shut_port() -> Generator[int, None, None]:
    """A port that refuses: it is taken, but nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_shut_port_refuses() -> None:
    with shut_port() as port:
        trouble = failure(f"ws://127.0.0.1:{port}")
    assert trouble.kind is FailureKind.CONNECTION_REFUSED
    assert f"127.0.0.1 port {port}" in trouble.detail


def test_a_deaf_port_times_out() -> None:
    with deaf_port() as port:
        assert failure(f"ws://127.0.0.1:{port}").kind is FailureKind.CONNECT_TIMEOUT


def test_a_name_that_does_not_exist_is_a_failure_of_the_resolver() -> None:
    trouble = failure("ws://ndt.invalid:8081")
    assert trouble.kind in {FailureKind.DNS_NXDOMAIN, FailureKind.DNS_TIMEOUT, FailureKind.DNS_ERROR}
    assert "ndt.invalid" in trouble.detail


def test_a_resolver_is_not_waited_for_beyond_the_deadline() -> None:
    with pytest.raises(EngineError) as caught:
        asyncio.run(resolve("localhost", 80, 0.0))
    assert caught.value.kind is FailureKind.DNS_TIMEOUT


def test_addresses_are_tried_in_order_until_one_answers() -> None:
    with deaf_port() as deaf, shut_port() as shut, socket.create_server(("127.0.0.1", 0)) as listener:
        ports = (shut, deaf, listener.getsockname()[1])
        addresses = tuple(Address(socket.AF_INET, ("127.0.0.1", port)) for port in ports)
        connector = Connector(SystemTime(), threading.Event(), time.monotonic() + 1.0)
        stream = connector.connect(addresses)
        try:
            assert stream.socket.getpeername()[1] == ports[-1]
        finally:
            stream.close()


def answered(script: Script) -> EngineError:
    with scripted_server(script) as target:
        return failure(target)


def portal(peer: Peer) -> None:
    peer.read_request()
    peer.answer("200 OK", b"<html><body>Please log in</body></html>", Content_Type="text/html")
    peer.end()


def redirecting(peer: Peer) -> None:
    peer.read_request()
    peer.answer("302 Found", Location="http://login.example/?from=ndt")
    peer.end()


def refusing(peer: Peer) -> None:
    peer.read_request()
    peer.answer("503 Service Unavailable", b"busy", Retry_After="13")
    peer.end()


def other_protocol(peer: Peer) -> None:
    peer.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    peer.end()


def endless_head(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\nX: ")
    while True:
        peer.send(b"x" * 4096)


def another_websocket(peer: Peer) -> None:
    peer.accept(subprotocol=None)
    peer.await_end()


def broken_accept(peer: Peer) -> None:
    peer.accept(Sec_WebSocket_Accept="bm8=")
    peer.await_end()


def hanging_up(peer: Peer) -> None:
    peer.read_request()
    peer.end()


def resetting(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (portal, FailureKind.CAPTIVE_PORTAL),
        (redirecting, FailureKind.CAPTIVE_PORTAL),
        (refusing, FailureKind.HANDSHAKE_REFUSED),
        (other_protocol, FailureKind.PROTOCOL_ERROR),
        (endless_head, FailureKind.PROTOCOL_ERROR),
        (another_websocket, FailureKind.PROTOCOL_ERROR),
        (broken_accept, FailureKind.PROTOCOL_ERROR),
        (hanging_up, FailureKind.CLOSED_EARLY),
        (resetting, FailureKind.CONNECTION_RESET),
    ],
)
def test_who_answers_is_the_kind_of_the_failure(script: Script, kind: FailureKind) -> None:
    trouble = answered(script)
    assert trouble.kind is kind
    assert trouble.bytes_sent > 0


def tls_server(folder: Path) -> ssl.SSLContext:
    files = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    with scripted_server(serve_properly(1.0), tls=tls_server(tmp_path)) as target:
        trouble = failure(target)
    assert trouble.kind is FailureKind.TLS_CERTIFICATE


def test_a_certificate_for_another_name(tmp_path: Path) -> None:
    context = tls_server(tmp_path)
    settings = Ndt7Settings(authorities=tmp_path / "certificate.pem")
    with scripted_server(serve_properly(1.0), tls=context, host="127.0.0.2") as target:
        trouble = failure(target, settings)
    assert trouble.kind is FailureKind.TLS_CERTIFICATE
    assert "127.0.0.2" in trouble.detail


def test_authorities_that_cannot_be_read(tmp_path: Path) -> None:
    settings = Ndt7Settings(authorities=tmp_path / "absent.pem")
    with scripted_server(lambda peer: peer.await_end()) as target:
        trouble = failure(target.replace("ws:", "wss:"), settings)
    assert trouble.kind is FailureKind.ENGINE_UNAVAILABLE
    assert "absent.pem" in trouble.detail


def test_a_server_without_tls_behind_wss() -> None:
    def script(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.await_end()

    with scripted_server(script) as target:
        assert failure(target.replace("ws:", "wss:")).kind is FailureKind.TLS_ERROR


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (lambda peer: peer.await_end(), FailureKind.STALLED),
        (lambda peer: peer.end(), FailureKind.TLS_ERROR),
        (lambda peer: peer.reset(), FailureKind.CONNECTION_RESET),
    ],
    ids=["silent", "ends", "resets"],
)
def test_a_tls_handshake_that_comes_to_nothing(script: Script, kind: FailureKind) -> None:
    def reading(peer: Peer) -> None:
        peer.socket.recv(1 << 16)
        script(peer)

    with scripted_server(reading) as target:
        assert failure(target.replace("ws:", "wss:")).kind is kind


def proxy(status: str) -> Script:
    def script(peer: Peer) -> None:
        while not (head := peer.socket.recv(1 << 16)).endswith(b"\r\n\r\n"):
            pass
        first = head.split(b"\r\n", 1)[0].decode()
        assert first.startswith("CONNECT ")
        if not status.startswith("200"):
            peer.answer(status)
            peer.end()
            return
        host, _, port = first.split(" ")[1].rpartition(":")
        with socket.create_connection((host, int(port))) as onward:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_relay, args=(onward, peer.socket))
            back.start()
            _relay(peer.socket, onward)
            back.join()

    return script


def _relay(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def test_a_proxy_that_lets_the_test_through() -> None:
    with scripted_server(serve_properly(1.0)) as target, scripted_server(proxy("200 OK")) as way:
        settings = Ndt7Settings(proxy=way.replace("ws:", "http:"))
        sample = asyncio.run(Ndt7Engine(settings).measure(target, Direction.DOWNLOAD, LIMITS, FullLength()))
    assert sample.points[-1].total_bytes > 0


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_a_proxy_that_refuses(status: str) -> None:
    with scripted_server(proxy(status)) as way:
        trouble = failure("ws://192.0.2.1:8081", Ndt7Settings(proxy=way.replace("ws:", "http:")))
    assert trouble.kind is FailureKind.PROXY_ERROR
    assert status[:3] in trouble.detail


def test_a_proxy_that_is_not_there_or_not_one() -> None:
    with shut_port() as port:
        assert failure("ws://192.0.2.1", Ndt7Settings(proxy=f"http://127.0.0.1:{port}")).kind is FailureKind.PROXY_ERROR
    with scripted_server(other_protocol) as way:
        settings = Ndt7Settings(proxy=way.replace("ws:", "http:"))
        assert failure("ws://192.0.2.1", settings).kind is FailureKind.PROXY_ERROR
    for text in ("socks5://127.0.0.1", "http://user@127.0.0.1", "http://", "http://h:x"):
        assert failure("ws://192.0.2.1", Ndt7Settings(proxy=text)).kind is FailureKind.PROXY_ERROR


def test_a_transparent_proxy_that_wants_credentials() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.answer("407 Proxy Authentication Required")
        peer.end()

    assert answered(script).kind is FailureKind.PROXY_ERROR


def test_cancelling_while_connecting_ends_at_once() -> None:
    async def run(port: int) -> float:
        limits = Limits(connect_timeout_s=10.0)
        engine = Ndt7Engine()
        test = asyncio.ensure_future(engine.measure(f"ws://127.0.0.1:{port}", Direction.DOWNLOAD, limits, FullLength()))
        await asyncio.sleep(0.3)
        began_s = time.monotonic()
        test.cancel()
        with pytest.raises(asyncio.CancelledError):
            await test
        return time.monotonic() - began_s

    with deaf_port() as port:
        assert asyncio.run(run(port)) < 1.0
