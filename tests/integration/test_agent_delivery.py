"""The courier process against a real socket: each fault that a network or a collector has in store."""

import asyncio
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import PlainHttp
from mektep_agent.identity.device import load_device, store_device
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.uplink.courier_carrier import courier_carriers
from mektep_agent.uplink.delivery import Delivery
from mektep_agent.uplink.enrol import enrol
from mektep_agent.uplink.http_collector import http_collector
from mektep_agent.uplink.rest import Rest, RestReason
from tests.support.agent_time import BOOT, a_reading
from tests.support.fake_collector import CODE, FakeCollector, Order, fake_collector

CHANCE = random.Random(23)
CONNECT_TIMEOUT_S, REQUEST_TIMEOUT_S = 1.0, 2.0


class Line:
    """A real outbox and a real courier towards a collector that errs on order."""

    def __init__(self, collector: FakeCollector, place: Path) -> None:
        self.collector = collector
        self.folder = StateFolder(place)
        with http_collector(
            collector.url, SystemTime(), connect_timeout_s=CONNECT_TIMEOUT_S, request_timeout_s=REQUEST_TIMEOUT_S
        ) as http:
            enrol(self.folder, http, collector.url, CODE, PlainHttp.REFUSED, SystemTime())
        self.kept = Outbox(self.folder, SystemTime(), random.Random(1), max_bytes=67_108_864, ballast_bytes=0)
        self.outbox = ThreadedOutbox(self.kept)
        carriers = courier_carriers(place, CONNECT_TIMEOUT_S, REQUEST_TIMEOUT_S)
        self.delivery = Delivery(self.outbox, carriers, SystemTime(), random.Random(2), BOOT)

    def measure(self, count: int) -> None:
        self.kept.put([a_reading(CHANCE) for _ in range(count)])

    def deliver(self) -> Rest:
        async def bounded() -> Rest:
            async with asyncio.timeout(30):
                return await self.delivery.deliver(1)

        return asyncio.run(bounded())

    def waiting(self) -> int:
        return self.kept.census().queued_count

    def move_collector_to(self, url: str) -> None:
        device = load_device(self.folder)
        assert device is not None
        store_device(self.folder, msgspec.structs.replace(device, collector_url=url))


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with fake_collector() as collector:
        made = Line(collector, tmp_path)
        yield made
        made.outbox.close()
        assert collector.faults == []


def test_signed_batches_arrive_through_the_courier(line: Line) -> None:
    line.measure(700)
    assert line.deliver().reason is RestReason.DELIVERED
    assert (line.waiting(), sorted(seq for _, seq in line.collector.stored)) == (0, list(range(1, 701)))
    assert line.delivery.comparison is not None


@pytest.mark.parametrize(
    "order",
    [Order.DROP, Order.STORE_AND_DROP, Order.PORTAL, Order.REDIRECT, Order.OTHER_RECEIPT, Order.GARBAGE, Order.BUSY],
)
def test_trouble_keeps_every_reading_and_the_next_time_they_arrive_once(line: Line, order: Order) -> None:
    line.measure(12)
    line.collector.orders.append(order)
    rest = line.deliver()
    assert (rest.reason, line.waiting()) == (RestReason.TROUBLE, 12)
    assert (rest.wait_s >= 120.0) is (order is Order.BUSY)
    assert line.deliver().reason is RestReason.DELIVERED
    assert (line.waiting(), len(line.collector.stored)) == (0, 12)


@pytest.mark.parametrize(
    ("order", "reason"),
    [(Order.UNAUTHORISED, RestReason.BARRED), (Order.REVOKED, RestReason.REVOKED)],
)
def test_a_refused_device_keeps_its_readings(line: Line, order: Order, reason: RestReason) -> None:
    line.measure(2)
    line.collector.orders.append(order)
    assert (line.deliver().reason, line.waiting()) == (reason, 2)


def test_halves_and_poison_work_over_the_wire(line: Line) -> None:
    line.measure(60)
    line.collector.max_readings = 16
    line.collector.poison_seqs = {41}
    assert line.deliver().reason is RestReason.DELIVERED
    assert (line.waiting(), len(line.collector.stored), line.kept.census().dead_count) == (0, 59, 1)


def test_a_part_that_is_not_named_is_sent_again(line: Line) -> None:
    line.measure(10)
    line.collector.orders.extend([Order.NAME_HALF, Order.REJECT_FIRST])
    line.deliver()
    assert line.waiting() == 5
    line.deliver()
    assert (line.waiting(), len(line.collector.stored), line.kept.census().dead_count) == (0, 9, 1)


def test_nobody_listens_the_name_is_unknown_or_nobody_answers(line: Line) -> None:
    line.measure(1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for url, kind in (
            ("http://127.0.0.1:9", "connection_refused"),
            ("http://collector.invalid", "dns"),
            (f"http://127.0.0.1:{silent.getsockname()[1]}", "stalled"),
        ):
            line.move_collector_to(url)
            rest = line.deliver()
            assert rest.reason is RestReason.TROUBLE
            assert kind in rest.detail
    assert line.waiting() == 1


def test_a_proxy_that_refuses_is_named(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    line.measure(1)
    rest = line.deliver()
    assert rest.reason is RestReason.TROUBLE
    assert "connection_refused" in rest.detail


def test_a_collector_an_hour_ahead_is_noticed(line: Line) -> None:
    line.collector.clock_ahead_s = 3_600.0
    line.measure(1)
    line.deliver()
    comparison = line.delivery.comparison
    assert comparison is not None
    assert abs((comparison.true_at - SystemTime().now()).total_seconds() - 3_600.0) < 10.0
