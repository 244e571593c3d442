"""Round trips over real sockets: our echo server, ports that are closed, wrong answers, this machine's ICMP."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from random import Random

import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.engines.dns import DnsEngine
from mektep_agent.engines.engine import EchoPlan, EngineError
from mektep_agent.engines.icmp import IcmpEngine
from mektep_agent.engines.tcp_connect import TcpConnectEngine
from mektep_agent.engines.udp_echo import UdpEchoEngine
from mektep_agent.probes.latency import FALLBACK_PLAN, IDLE_PLAN, LatencyProbe
from mektep_agent.probes.probe import Run
from mektep_wire import EngineName, FailureKind, Outcome, Trigger
from tests.support.agent_time import BOOT
from tests.support.running_measure_server import measure_server

pytestmark = pytest.mark.alone

PLAN = EchoPlan(probe_count=6, spacing_s=0.01, timeout_s=0.4)
TIME = SystemTime()


def udp() -> UdpEchoEngine:
    return UdpEchoEngine(TIME, Random(1))


@contextmanager
def answering(answer: Callable[[int, bytes], list[bytes]]) -> Generator[int, None, None]:
    """Serve UDP on loopback with `answer(number of datagram, datagram) -> datagrams to send back`; yields the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            number = 0
            while True:
                try:
                    data, source = server.recvfrom(2_048)
                except OSError:
                    return
                if data == b"end":
                    return
                for back in answer(number, data):
                    server.sendto(back, source)
                number += 1

        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        yield port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"end", ("127.0.0.1", port))
        thread.join(5)


def closed_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_our_echo_server_answers_every_probe() -> None:
    with measure_server() as server:
        sample = asyncio.run(udp().measure(f"udp://127.0.0.1:{server.ready.echo_port}", PLAN))
    assert len(sample.rtts_ms) == 6
    assert all(rtt is not None and 0 < rtt < 400 for rtt in sample.rtts_ms)
    assert sample.bytes_sent == sample.bytes_received == 6 * 64


def test_a_lost_probe_is_a_lost_probe() -> None:
    with answering(lambda number, data: [] if number in {1, 4} else [data]) as port:
        sample = asyncio.run(udp().measure(f"udp://127.0.0.1:{port}", PLAN))
    assert [rtt is None for rtt in sample.rtts_ms] == [False, True, False, False, True, False]


def test_doubled_and_foreign_answers_do_not_count() -> None:
    with answering(lambda number, data: [b"MKTPECH1" + b"x" * 40, data[:20], data, data] if number else []) as port:
        sample = asyncio.run(udp().measure(f"udp://127.0.0.1:{port}", PLAN))
    assert [rtt is None for rtt in sample.rtts_ms] == [True, False, False, False, False, False]


def test_silence_is_no_answer() -> None:
    with answering(lambda number, data: []) as port, pytest.raises(EngineError) as failed:
        asyncio.run(udp().measure(f"udp://127.0.0.1:{port}", PLAN))
    assert failed.value.kind is FailureKind.NO_ANSWER
    assert failed.value.bytes_sent == 6 * 64


def test_a_closed_udp_port_is_refused() -> None:
    with pytest.raises(EngineError) as failed:
        asyncio.run(udp().measure(f"udp://127.0.0.1:{closed_port(socket.SOCK_DGRAM)}", PLAN))
    assert failed.value.kind is FailureKind.CONNECTION_REFUSED


def test_a_port_that_says_no_is_not_asked_on() -> None:
    begun_s = time.monotonic()
    with pytest.raises(EngineError) as failed:
        asyncio.run(udp().measure(f"udp://127.0.0.1:{closed_port(socket.SOCK_DGRAM)}", IDLE_PLAN))
    assert failed.value.kind is FailureKind.CONNECTION_REFUSED
    assert failed.value.bytes_sent < IDLE_PLAN.probe_count * IDLE_PLAN.payload_bytes / 2
    assert time.monotonic() - begun_s < 1.0


def test_where_udp_says_no_the_probe_times_connections_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed, port = closed_port(socket.SOCK_DGRAM), server.getsockname()[1]
        probe = LatencyProbe(
            udp(), f"udp://127.0.0.1:{closed}", TcpConnectEngine(TIME), f"tcp://127.0.0.1:{port}", TIME, Random(1)
        )
        begun_s = time.monotonic()
        (reading,) = asyncio.run(probe.run(Run(trigger=Trigger.INTERVAL, boot_id=BOOT)))
    assert (reading.engine, reading.outcome) == (EngineName.TCP_CONNECT, Outcome.OK)
    assert time.monotonic() - begun_s < FALLBACK_PLAN.probe_count * FALLBACK_PLAN.spacing_s + 1.0


@pytest.mark.parametrize("target", ["127.0.0.1:8082", "tcp://127.0.0.1:1", "udp://"])
def test_a_target_of_another_form_is_refused_with_the_form(target: str) -> None:
    with pytest.raises(EngineError, match="udp://host:port"):
        asyncio.run(udp().measure(target, PLAN))


def test_an_unknown_name_is_dns_nxdomain_or_a_resolver_that_is_away() -> None:
    with pytest.raises(EngineError) as failed:
        asyncio.run(udp().measure("udp://no-such-host.invalid:8082", PLAN))
    assert failed.value.kind in {FailureKind.DNS_NXDOMAIN, FailureKind.DNS_TIMEOUT, FailureKind.DNS_ERROR}


def test_connections_are_timed_and_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sample = asyncio.run(TcpConnectEngine(TIME).measure(f"tcp://127.0.0.1:{server.getsockname()[1]}", PLAN))
    assert all(rtt is not None and rtt > 0 for rtt in sample.rtts_ms)


def test_a_closed_tcp_port_is_refused_at_once() -> None:
    with pytest.raises(EngineError) as failed:
        asyncio.run(TcpConnectEngine(TIME).measure(f"tcp://127.0.0.1:{closed_port(socket.SOCK_STREAM)}", PLAN))
    assert failed.value.kind is FailureKind.CONNECTION_REFUSED


def test_this_machine_answers_its_own_echo_requests_or_says_why_not() -> None:
    engine = IcmpEngine(TIME, Random(1))
    obstacle = engine.obstacle()
    if obstacle is not None:
        assert "ping_group_range" in obstacle
        with pytest.raises(EngineError) as failed:
            asyncio.run(engine.measure("127.0.0.1", PLAN))
        assert failed.value.kind is FailureKind.ENGINE_UNAVAILABLE
        return
    sample = asyncio.run(engine.measure("127.0.0.1", PLAN))
    assert all(rtt is not None and rtt < 400 for rtt in sample.rtts_ms)


def test_a_literal_address_resolves_to_itself() -> None:
    assert asyncio.run(DnsEngine(TIME).measure("127.0.0.1", 2.0)).addresses == ("127.0.0.1",)


def test_a_bare_local_name_may_be_local() -> None:
    assert "127.0.0.1" in asyncio.run(DnsEngine(TIME).measure("localhost", 2.0)).addresses
