"""Three collectors with one register and one InfluxDB: devices speak to any, answers are lost, one is killed.

Every reading is in exactly one journal, once, and in InfluxDB once.
"""

import gzip
import shutil
import signal
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import httpx
import pytest

from mektep_collector.journal.journal import Journal
from mektep_collector.store.influx import Address, InfluxStore
from mektep_collector.store.store import Period
from mektep_wire import EnrolmentGrant, FateOutcome, Reading, Receipt, decode, encode
from tests.support.fault_proxy import FaultProxy, Harm, fault_proxy
from tests.support.newcomer import Newcomer
from tests.support.peers.influxd import RunningInfluxd, free_port
from tests.support.peers.postgresql import RunningPostgresql
from tests.support.running_collector import RunningCollector, answer, await_that, program, running_collector
from tests.support.school_device import SchoolDevice

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "schools.csv"
SCHOOLS = ("000000000001", "000000000002", "000000000003")
DATABASE = "three_collectors"
ROUNDS_COUNT = 45
BATCH_COUNT = 8
HARMS = (Harm.NONE, Harm.NONE, Harm.LOSE_REPLY, Harm.CUT_REQUEST, Harm.CUT_REPLY)


class Device:
    """Sends what is not acknowledged, to whichever collector the balancer names."""

    def __init__(self, seed: int, school_id: str, collector: RunningCollector) -> None:
        (code,) = answer("code", "new", school_id, data_dir=collector.data_dir)["codes"]
        self._device, newcomer = SchoolDevice(seed), Newcomer()
        newcomer.key, newcomer.public_key = self._device.key, self._device.record.public_key
        granted = httpx.post(collector.url + "/v1/enrolments", content=encode(newcomer.request(code["code"])))
        grant = decode(EnrolmentGrant, granted.content)
        self._device.token, self._id = grant.token, grant.device_id
        self.pending: dict[str, Reading] = {}
        self.sent: set[str] = set()
        self._seq = 0

    def measure(self) -> None:
        now = datetime.now(UTC)
        for _ in range(BATCH_COUNT):
            self._seq += 1
            reading = self._device.reading(self._seq, now - timedelta(seconds=self._seq))
            self.pending[reading.id] = reading
            self.sent.add(reading.id)

    def send(self, port: int) -> bool:
        """Tell whether all that waits was acknowledged."""
        some = list(self.pending.values())[:40]
        if not some:
            return True
        body = gzip.compress(self._device.batch(some, datetime.now(UTC), device_id=self._id))
        try:
            with httpx.Client(timeout=20) as client:
                answered = client.post(
                    f"http://127.0.0.1:{port}/v1/readings", content=body, headers=self._device.headers(body)
                )
        except httpx.HTTPError:
            return False
        if answered.status_code != 200:
            assert answered.status_code == 503, answered.text
            assert int(answered.headers["retry-after"]) > 0
            return False
        for fate in decode(Receipt, answered.content).fates:
            assert fate.outcome is not FateOutcome.REJECTED, fate
            self.pending.pop(some[fate.index].id, None)
        return not self.pending


@pytest.mark.slow
@pytest.mark.peer
def test_devices_may_speak_to_any_of_three_and_each_reading_counts_once(
    postgresql: RunningPostgresql, influxd: RunningInfluxd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = Random(3)
    ports = [free_port() for _ in range(3)]
    folders = [tmp_path / f"collector-{number}" for number in range(3)]
    settings = tmp_path / "settings.toml"
    settings.write_text(
        f'''registry_url = "{postgresql.database()}"
store = "influxdb"
influxdb_url = "http://127.0.0.1:{influxd.port}"
influxdb_database = "{DATABASE}"
'''
    )
    monkeypatch.setenv("MEKTEP_COLLECTOR_CONFIG", str(settings))
    program("schools", "import", str(EXAMPLE), "--yes", data_dir=folders[0])
    for folder in folders[1:]:
        shutil.copytree(folders[0] / "keys", folder / "keys")
    unreached_count = 0
    with ExitStack() as opened:
        collectors = [opened.enter_context(_serving(*each, monkeypatch)) for each in zip(folders, ports, strict=True)]
        proxies: list[FaultProxy] = [opened.enter_context(fault_proxy(draw, HARMS)) for _ in ports]
        for proxy, port in zip(proxies, ports, strict=True):
            proxy.target_port = port
        devices = [Device(seed, SCHOOLS[seed % 3], collectors[seed % 3]) for seed in range(6)]
        for round_number in range(ROUNDS_COUNT):
            if round_number == ROUNDS_COUNT // 3:
                collectors[1].process.send_signal(signal.SIGKILL)
                collectors[1].process.wait(10)
            if round_number == 2 * ROUNDS_COUNT // 3:
                collectors[1] = opened.enter_context(_serving(folders[1], ports[1], monkeypatch))
            for device in devices:
                device.measure()
                unreached_count += not device.send(draw.choice(proxies).port)
        for device in devices:
            await_that(lambda device=device: device.send(draw.choice(ports)), "all that waits arrives")  # type: ignore[misc]
        sent = {id_ for device in devices for id_ in device.sent}
        store = InfluxStore(
            Address(f"http://127.0.0.1:{influxd.port}", DATABASE),
            tmp_path / "looking",
            lambda _: ZoneInfo("Asia/Almaty"),
        )
        await_that(lambda: len(_told(store)) >= len(sent), "InfluxDB has taken all in")
        told = Counter(_told(store))
        store.close()
    journalled = Counter(id_ for folder in folders for id_ in _journalled(folder))
    assert unreached_count > ROUNDS_COUNT // 4, "hardly anything went wrong: the test shows little"
    assert set(journalled) == set(told) == sent
    assert set(journalled.values()) == set(told.values()) == {1}
    assert all(_journalled(folder) for folder in folders), "a collector is nobody's home: the test shows little"
    print(
        {"collectors": 3, "kills": 1, "readings": len(sent), "attempts in vain": unreached_count, "lost": 0, "twice": 0}
    )


def _serving(folder: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> AbstractContextManager[RunningCollector]:
    monkeypatch.setenv("MEKTEP_COLLECTOR_PEER_URL", f"http://127.0.0.1:{port}")
    return running_collector(folder, "--no-measure", "--port", str(port))


def _told(store: InfluxStore) -> list[str]:
    period = Period(datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) + timedelta(days=1))
    return [each.reading.id for school_id in SCHOOLS for each in store.readings(school_id, period)]


def _journalled(folder: Path) -> list[str]:
    journal = Journal(folder / "journal")
    try:
        entries = journal.read(0, journal.position())
        return [each.reading.id for entry in entries for each in entry.accepted]
    finally:
        journal.close()
