"""Round trips beside a load, over real sockets: the same packets as without, and the engine that timed them."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.engines.tcp_connect import TcpConnectEngine
from mektep_agent.engines.udp_echo import UdpEchoEngine
from mektep_agent.probes.latency import IDLE_PLAN
from mektep_agent.probes.under_load import RAMP_RATIO, Beside, UnderLoad
from mektep_wire import EngineName, Metric

pytestmark = pytest.mark.alone

TIME = SystemTime()
LOAD_S = 2.4


@contextmanager
def echoing(lost_every_count: int = 0) -> Iterator[tuple[int, list[int]]]:
    """Echo datagrams on loopback but each `lost_every_count`-th; yields the port and the lengths that came."""
    lengths: list[int] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                data, source = server.recvfrom(2_048)
                if data == b"end":
                    return
                lengths.append(len(data))
                if not lost_every_count or len(lengths) % lost_every_count:
                    server.sendto(data, source)

        thread = threading.Thread(target=serve)
        thread.start()
        port: int = server.getsockname()[1]
        try:
            yield port, lengths
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"end", ("127.0.0.1", port))
            thread.join()


def beside(echo_port: int, connect_target: str | None) -> Beside:
    async def load() -> Beside:
        echo, connect = UdpEchoEngine(TIME, Random(1)), TcpConnectEngine(TIME)
        under_load = UnderLoad(echo, f"udp://127.0.0.1:{echo_port}", connect, connect_target, TIME)
        async with under_load.timed():
            await asyncio.sleep(LOAD_S)
        return under_load.seen()

    return asyncio.run(load())


def a_closed_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
    return port


def test_the_packets_are_those_of_the_idle_line() -> None:
    with echoing() as (port, lengths), socket.create_server(("127.0.0.1", 0)) as server:
        seen = beside(port, f"tcp://127.0.0.1:{server.getsockname()[1]}")
    assert set(lengths) == {IDLE_PLAN.payload_bytes}
    assert len(lengths) == pytest.approx(LOAD_S / IDLE_PLAN.spacing_s, abs=3)
    assert seen.engine is EngineName.UDP_ECHO
    counted = seen.sample_counts[Metric.LOADED_RTT_MS]
    assert counted == pytest.approx(len(lengths) * (1 - RAMP_RATIO), abs=3)
    assert seen.values[Metric.RESPONSIVENESS_RPM] > 6_000
    assert seen.sample_counts[Metric.RESPONSIVENESS_RPM] > counted
    assert seen.bytes_sent > len(lengths) * IDLE_PLAN.payload_bytes


def test_what_is_lost_is_told_with_its_interval() -> None:
    with echoing(lost_every_count=3) as (port, _):
        seen = beside(port, None)
    loss, interval = seen.values[Metric.LOADED_PACKET_LOSS_RATIO], seen.intervals[Metric.LOADED_PACKET_LOSS_RATIO]
    assert 0.1 < loss < 0.6
    assert interval.low < loss < interval.high
    assert seen.sample_counts[Metric.LOADED_PACKET_LOSS_RATIO] > seen.sample_counts[Metric.LOADED_RTT_MS]


def test_where_udp_is_closed_connections_speak_and_claim_no_loss() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = beside(a_closed_port(), f"ws://127.0.0.1:{server.getsockname()[1]}")
    assert seen.engine is EngineName.TCP_CONNECT
    assert Metric.LOADED_PACKET_LOSS_RATIO not in seen.values
    assert seen.sample_counts[Metric.LOADED_RTT_MS] >= 3


def test_where_nothing_answers_there_is_nothing_but_the_cost() -> None:
    seen = beside(a_closed_port(), None)
    assert (seen.values, seen.engine) == ({}, None)
