"""NDT7 over TLS: the same tests behind `wss`, and what a broken TLS client gets."""

import ssl
import time
from collections.abc import Generator
from pathlib import Path

import msgspec
import pytest

from mektep_collector.measure.settings import MeasureError, TlsFiles
from tests.support.certificate import make_certificate
from tests.support.raw_websocket import BINARY, CLOSE, DOWNLOAD, PING, TEXT, UPLOAD, RawClient, close_frame, frame
from tests.support.running_measure_server import SETTINGS, SHORT, RunningServer, measure_server

pytestmark = pytest.mark.alone


class Secure(msgspec.Struct, frozen=True):
    """A server with a port for TLS, and what a client needs to trust it."""

    server: RunningServer
    port: int
    trust: ssl.SSLContext


@pytest.fixture
def secure(tmp_path: Path) -> Generator[Secure, None, None]:
    files = make_certificate(tmp_path)
    settings = msgspec.structs.replace(SETTINGS, tls=TlsFiles(files.certificate, files.key))
    with measure_server(settings) as server:
        assert server.ready.ndt7_tls_port is not None
        yield Secure(server, server.ready.ndt7_tls_port, ssl.create_default_context(cafile=str(files.certificate)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_download_over_tls_runs_its_time_and_counts_what_arrives(secure: Secure, version: ssl.TLSVersion) -> None:
    secure.trust.maximum_version = version
    with RawClient(secure.port, tls=secure.trust) as client:
        client.open(DOWNLOAD)
        began_s = time.monotonic()
        frames = list(client.frames())
        client.send(close_frame())
        assert client.end() == "closed"
        assert SHORT.runtime_s <= time.monotonic() - began_s < SHORT.max_runtime_s
    load_bytes = sum(len(one.payload) for one in frames if one.opcode == BINARY)
    summary = frames[-2].json()
    assert summary["AppInfo"]["NumBytes"] == load_bytes
    assert summary["TCPInfo"]["BytesSent"] > load_bytes, "TLS and framing come on top"
    secure.server.await_outcome("download", "completed")


def test_an_upload_over_tls_is_counted_to_the_byte(secure: Secure) -> None:
    with RawClient(secure.port, tls=secure.trust) as client:
        client.open(UPLOAD)
        for _ in range(4):
            client.send(frame(BINARY, bytes(1 << 23)) + frame(PING, b"?"))
        client.send(close_frame())
        frames = list(client.frames())
        assert client.end() == "closed"
    assert frames[-2].opcode == TEXT
    assert frames[-2].json()["AppInfo"]["NumBytes"] == 4 << 23
    assert frames[-1].opcode == CLOSE
    secure.server.await_outcome("upload", "client_closed")


def test_a_client_that_stops_reading_over_tls_is_cut_off(secure: Secure) -> None:
    with RawClient(secure.port, tls=secure.trust, receive_bytes=4_096) as client:
        client.open(DOWNLOAD)
        secure.server.await_outcome("download", "timed_out")


def test_plain_text_and_silence_on_the_tls_port_are_ended_and_counted(secure: Secure) -> None:
    with RawClient(secure.port) as plain, RawClient(secure.port) as silent:
        plain.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.end()
        silent.end()
    secure.server.await_count(2, "mektep_measure_connections_without_test_total", reason="tls_failed")


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    other = tmp_path / "other.pem"
    other.write_text("no certificate", "ascii")
    for certificate, key in ((other, files.key), (files.certificate, other), (tmp_path / "absent.pem", files.key)):
        settings = msgspec.structs.replace(SETTINGS, tls=TlsFiles(certificate, key))
        with pytest.raises(MeasureError, match="must be PEM"), measure_server(settings):
            pass
