"""The UDP echo over real sockets: ours come back as they were, others are dropped, nobody gets more than a share."""

import socket
import sys
from collections.abc import Generator

import msgspec
import pytest

from mektep_wire.echo import ECHO_MAGIC, ECHO_MAX_BYTES, ECHO_MIN_BYTES
from tests.support.loopback import loopbacks
from tests.support.running_measure_server import SETTINGS, RunningServer, measure_server

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def running() -> Generator[RunningServer, None, None]:
    with measure_server() as server:
        yield server


@pytest.fixture
def server(running: RunningServer) -> RunningServer:
    return running.fresh()


PACKETS = "mektep_measure_echo_packets_total"


@pytest.mark.parametrize("host", loopbacks())
@pytest.mark.parametrize("length", [ECHO_MIN_BYTES, 64, ECHO_MAX_BYTES])
def test_a_probe_comes_back_unchanged(server: RunningServer, host: str, length: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    probe = ECHO_MAGIC + bytes(index % 256 for index in range(length - 8))
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect((host, server.ready.echo_port))
        client.send(probe)
        assert client.recv(2_000) == probe
        server.await_count(1, PACKETS, fate="echoed")


def test_what_is_no_probe_gets_no_answer(server: RunningServer) -> None:
    foreign = [b"", b"hello", bytes(64), ECHO_MAGIC + bytes(ECHO_MIN_BYTES - 9), ECHO_MAGIC + bytes(ECHO_MAX_BYTES - 7)]
    probe = ECHO_MAGIC + bytes(24)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect(("127.0.0.1", server.ready.echo_port))
        for datagram in [*foreign, probe]:
            client.send(datagram)
        assert client.recv(2_000) == probe
        server.await_count(len(foreign), PACKETS, fate="foreign")


def test_a_source_that_asks_too_much_is_answered_its_share_only() -> None:
    settings = msgspec.structs.replace(SETTINGS, echo_packets_per_s=0.001, echo_burst_count=5)
    with measure_server(settings) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.connect(("127.0.0.1", server.ready.echo_port))
        for number in range(50):
            client.send(ECHO_MAGIC + number.to_bytes(24, "big"))
        server.await_count(45, PACKETS, fate="limited")
        answers = [client.recv(2_000)[-1] for _ in range(5)]
        assert sorted(answers) == [0, 1, 2, 3, 4]
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.recv(2_000)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 on its loopback")
def test_the_answer_comes_from_the_address_that_was_asked(server: RunningServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.bind(("127.0.0.1", 0))
        client.sendto(ECHO_MAGIC + bytes(24), ("127.0.0.77", server.ready.echo_port))
        _, source = client.recvfrom(2_000)
        assert source == ("127.0.0.77", server.ready.echo_port)


def test_a_source_that_is_gone_does_not_disturb_the_next(server: RunningServer) -> None:
    probe = ECHO_MAGIC + bytes(24)
    address = ("127.0.0.1", server.ready.echo_port)
    for _ in range(5):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
            gone.sendto(probe, address)
    server.await_count(5, PACKETS, fate="echoed")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(probe, address)
        assert client.recv(2_000) == probe
