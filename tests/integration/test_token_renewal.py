"""A collector and an agent as they run, and a token that is renewed while readings flow: none lost, none twice."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import PlainHttp
from mektep_agent.identity.device import Device, load_device
from mektep_agent.identity.last_assignment import load_assignment
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.uplink.courier_carrier import courier_carriers
from mektep_agent.uplink.delivery import Delivery
from mektep_agent.uplink.enrol import enrol
from mektep_agent.uplink.http_collector import http_collector
from mektep_agent.uplink.rest import RestReason
from mektep_collector.journal.journal import Journal
from tests.support.agent_time import BOOT, a_reading
from tests.support.peers.influxd import free_port
from tests.support.running_collector import RunningCollector, answer, await_that, program, running_collector

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "schools.csv"
SCHOOL = "000000000001"
OVERLAP_S = 5.0


class School:
    """An agent's outbox, delivery and couriers, which measures and sends without a pause while it flows."""

    def __init__(self, place: Path, url: str, code: str) -> None:
        self.folder = StateFolder(place)
        with http_collector(url, SystemTime(), connect_timeout_s=2.0, request_timeout_s=20.0) as http:
            enrol(self.folder, http, url, code, PlainHttp.REFUSED, SystemTime())
        self._kept = Outbox(self.folder, SystemTime(), random.Random(1), max_bytes=67_108_864, ballast_bytes=0)
        self._outbox = ThreadedOutbox(self._kept)
        carriers = courier_carriers(place, 2.0, 20.0)
        self._delivery = Delivery(self._outbox, carriers, SystemTime(), random.Random(2), BOOT)
        self._chance = random.Random(3)
        self.put: list[str] = []
        self.deliveries: Counter[RestReason] = Counter()

    def device(self) -> Device:
        device = load_device(self.folder)
        assert device is not None
        return device

    def send(self) -> RestReason:
        """Measure something and send all that waits."""
        readings = [a_reading(self._chance, SystemTime().now()) for _ in range(3)]
        self.put += [reading.id for reading in self._kept.put(readings)]
        assignment = load_assignment(self.folder)
        assert assignment is not None
        reason = asyncio.run(self._delivery.deliver(assignment.version)).reason
        self.deliveries[reason] += 1
        return reason

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """Send again and again beside the block."""
        ended = threading.Event()

        def flow() -> None:
            while not ended.is_set():
                self.send()

        thread = threading.Thread(target=flow, name="school")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def close(self) -> None:
        self._outbox.close()


def _lets_in(collector: RunningCollector, token: str) -> bool:
    asked = httpx.get(collector.url + "/v1/assignment", headers={"Authorization": f"Bearer {token}"})
    assert asked.status_code in {200, 401}
    return asked.status_code == 200


def _journalled(folder: Path) -> Counter[str]:
    journal = Journal(folder / "journal")
    try:
        entries = journal.read(0, journal.position())
        return Counter(each.reading.id for entry in entries for each in entry.accepted)
    finally:
        journal.close()


def test_a_token_is_renewed_while_readings_flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEKTEP_COLLECTOR_TOKEN_OVERLAP_H", str(OVERLAP_S / 3_600))
    data = tmp_path / "collector"
    program("schools", "import", str(EXAMPLE), "--yes", data_dir=data)
    serving = ("--no-measure", "--port", str(free_port()))
    with running_collector(data, *serving) as collector:
        code = answer("code", "new", SCHOOL, data_dir=data)["codes"][0]["code"]
        school = School(tmp_path / "agent", collector.url, code)
        assert school.send() is RestReason.DELIVERED
        old = school.device()
    with school.flowing():
        program("devices", "renew-token", old.device_id, data_dir=data)
        with running_collector(data, *serving):
            await_that(lambda: school.device().token != old.token, "the token is renewed")
            seen_count = school.deliveries[RestReason.DELIVERED]
            await_that(lambda: school.deliveries[RestReason.DELIVERED] > seen_count + 1, "the new token is used")
        # The collector has written down at its end that the new one was used.
        with running_collector(data, *serving) as collector:
            await_that(lambda: not _lets_in(collector, old.token), "the old token ends after the overlap")
            assert _lets_in(collector, school.device().token)
            seen_count = school.deliveries[RestReason.DELIVERED]
            await_that(lambda: school.deliveries[RestReason.DELIVERED] > seen_count + 1, "readings flow on")
    with running_collector(data, *serving):
        await_that(lambda: school.send() is RestReason.DELIVERED, "all that waits arrives")
        (shown,) = answer("devices", data_dir=data)["devices"]
    school.close()
    assert datetime.fromisoformat(shown["token_made_at"]) > datetime.fromisoformat(shown["renewal_asked_at"])
    assert set(school.deliveries) == {RestReason.DELIVERED, RestReason.TROUBLE}, "the school was refused once"
    assert _journalled(data) == Counter(school.put)
