"""`kill -9` of PostgreSQL amid enrolments, assignments, sessions and homes, while batches come in.

After each kill the log of changes holds; in the end whatever was answered for is there, once, and so is each reading.
"""

import gzip
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import httpx
import pytest

from mektep_collector.access.role import Role
from mektep_collector.access.scope import WHOLE_COUNTRY
from mektep_collector.journal.journal import Journal
from mektep_collector.registry.error import RegistryAway
from mektep_collector.registry.registry import Registry, open_registry
from mektep_wire import Assignment, EnrolmentGrant, FateOutcome, Reading, Receipt, SignedAssignment, decode, encode
from tests.support.newcomer import Newcomer
from tests.support.peers.influxd import free_port
from tests.support.peers.postgresql import RunningPostgresql
from tests.support.running_collector import command, running_collector
from tests.support.school_device import SchoolDevice
from tests.support.school_table import EXAMPLE, school_file

KILLS_COUNT = int(os.environ.get("MEKTEP_CHAOS_DATABASE_KILLS", "3"))
SCHOOL = EXAMPLE["school_id"]
SENDERS_COUNT = 3
BATCH_COUNT = 6
_PAUSE_S = 0.03
_RESPITE_S = 0.3
"""Who asks without a pause to become a device is told to wait, like everybody else at that address."""
LOGIN, PASSWORD = "observer", "river lamp seven onion"
LIFETIME, IDLE = timedelta(days=30), timedelta(days=30)


class Acknowledged:
    """What the collector and the register have answered for, as those who asked know it."""

    def __init__(self) -> None:
        self.devices: dict[bytes, str] = {}
        """Ids by public key."""
        self.versions: dict[str, int] = {}
        """The newest assignment that each device was given."""
        self.sessions: list[str] = []
        self.readings: set[str] = set()
        self.sent: set[str] = set()
        self.in_vain: Counter[str] = Counter()


class Computer:
    """A computer that enrols with its code until it is answered, then fetches its assignment and sends."""

    def __init__(self, number: int, code: str, client: httpx.Client, told: Acknowledged) -> None:
        self._device = SchoolDevice(number)
        newcomer = Newcomer()
        newcomer.key, newcomer.public_key = self._device.key, self._device.record.public_key
        self._request = encode(newcomer.request(code))
        self._key = newcomer.public_key
        self._client = client
        self._told = told
        self._id = ""
        self._seq = 0
        self._pending: dict[str, Reading] = {}

    def enrol(self) -> bool:
        """Ask once; tell whether this computer is a device now."""
        response = self._client.post("/v1/enrolments", content=self._request)
        if response.status_code != 201:
            return self._is_asked_to_wait("enrolments", response)
        grant = decode(EnrolmentGrant, response.content)
        assert self._told.devices.setdefault(self._key, grant.device_id) == grant.device_id, "enrolled twice"
        self._id, self._device.token = grant.device_id, grant.token
        return True

    def look_for_an_assignment(self) -> None:
        response = self._client.get("/v1/assignment", headers={"Authorization": f"Bearer {self._device.token}"})
        if response.status_code != 200:
            self._is_asked_to_wait("assignments", response)
            return
        signed = decode(SignedAssignment, response.content)
        version = decode(Assignment, signed.payload).version
        assert version >= self._told.versions.get(self._id, 0), "an assignment that was given is forgotten"
        self._told.versions[self._id] = version

    def send(self) -> bool:
        """Send what is not acknowledged, with new readings; tell whether all was."""
        if len(self._pending) < 5 * BATCH_COUNT:
            self.measure()
        return self.send_the_rest()

    def measure(self) -> None:
        now = datetime.now(UTC)
        for _ in range(BATCH_COUNT):
            self._seq += 1
            reading = self._device.reading(self._seq, now - timedelta(seconds=self._seq))
            self._pending[reading.id] = reading
            self._told.sent.add(reading.id)

    def send_the_rest(self) -> bool:
        some = list(self._pending.values())
        if not some:
            return True
        body = gzip.compress(self._device.batch(some, datetime.now(UTC), device_id=self._id))
        response = self._client.post("/v1/readings", content=body, headers=self._device.headers(body))
        if response.status_code != 200:
            return self._is_asked_to_wait("batches", response)
        for fate in decode(Receipt, response.content).fates:
            assert fate.outcome is not FateOutcome.REJECTED, fate
            self._told.readings.add(some[fate.index].id)
            del self._pending[some[fate.index].id]
        return not self._pending

    def _is_asked_to_wait(self, what: str, response: httpx.Response) -> bool:
        assert response.status_code in {429, 503}, response.text
        assert int(response.headers["retry-after"]) > 0
        self._told.in_vain[what] += response.status_code == 503
        return False


class Repeating:
    """Does something over and over in a thread of its own, until it is told to end; keeps what it raised."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = steps
        self._is_over = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._is_over.is_set():
                for step in self._steps:
                    step()
                self._is_over.wait(_PAUSE_S)
        except BaseException as error:  # noqa: BLE001 (looked at where the end is waited for)
            self.error = error

    def end(self) -> None:
        self._is_over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()


class Newcomers:
    """Computers that become devices one after the other, and send for the first time, by which each gets its home."""

    def __init__(self, computers: list[Computer]) -> None:
        self._waiting = computers
        self._beginning: list[Computer] = []

    def let_one_in(self) -> None:
        if self._waiting and self._waiting[0].enrol():
            self._beginning.append(self._waiting.pop(0))
            self._beginning[-1].measure()
        elif self._waiting:
            time.sleep(_RESPITE_S)
        self._beginning = [one for one in self._beginning if not one.send_the_rest()]


class Operator:
    """Changes the register by hand: contracts, from which new assignments follow, and sessions."""

    def __init__(self, registry: Registry, told: Acknowledged) -> None:
        self._registry = registry
        self._told = told
        self._contract_mbps = 30

    def change_the_contract(self) -> None:
        self._contract_mbps += 1
        try:
            self._registry.schools.take_in(school_file({"contract_download_mbps": str(self._contract_mbps)}))
        except RegistryAway:
            self._told.in_vain["contracts"] += 1

    def let_somebody_in(self) -> None:
        try:
            self._told.sessions.append(self._registry.sessions.begin(LOGIN, LIFETIME))
        except RegistryAway:
            self._told.in_vain["sessions"] += 1


@pytest.mark.slow
@pytest.mark.peer
def test_what_was_answered_for_outlives_every_kill_of_postgresql(
    postgresql: RunningPostgresql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw, told, url = Random(6), Acknowledged(), postgresql.database()
    data, port = tmp_path / "collector", free_port()
    (tmp_path / "settings.toml").write_text(f'registry_url = "{url}"\n')
    monkeypatch.setenv("MEKTEP_COLLECTOR_CONFIG", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("MEKTEP_COLLECTOR_PEER_URL", f"http://127.0.0.1:{port}")
    registry = open_registry(data, url=url)
    try:
        registry.schools.take_in(school_file({}))
        codes = _codes(registry, SENDERS_COUNT + 20 + 5 * KILLS_COUNT)
        registry.people.add(LOGIN, Role.VIEWER, WHOLE_COUNTRY, PASSWORD)
        with ExitStack() as opened:
            collector = opened.enter_context(running_collector(data, "--no-measure", "--port", str(port)))
            client = opened.enter_context(httpx.Client(base_url=collector.url, timeout=30, trust_env=False))
            computers = [Computer(number, code, client, told) for number, code in enumerate(codes)]
            senders, newcomers = computers[:SENDERS_COUNT], computers[SENDERS_COUNT:]
            assert all(sender.enrol() for sender in senders)
            opened.callback(lambda: (tmp_path / "collector.log").write_text("".join(collector.log), "utf-8"))
            changes_count = _kill_amid(senders, newcomers, postgresql, registry, told, draw)
            for computer in computers:
                _until(computer.send_the_rest, "all that waits arrives")
        _hold_the_promises(registry, told)
    finally:
        registry.close()
    command("audit", "verify", data_dir=data)
    journalled = _journalled(data)
    assert set(journalled) == told.readings == told.sent, "a reading that was acknowledged is lost"
    assert set(journalled.values()) == {1}
    assert sum(told.in_vain.values()) >= KILLS_COUNT, "hardly anything went wrong: the test shows little"
    print(
        {
            "kills": KILLS_COUNT, "enrolments": len(told.devices), "sessions": len(told.sessions),
            "newest assignment": max(told.versions.values()), "changes in the log": changes_count,
            "readings": len(told.sent), "asked in vain": dict(told.in_vain), "lost": 0, "twice": 0,
        }
    )  # fmt: skip


def _kill_amid(
    senders: list[Computer],
    newcomers: list[Computer],
    postgresql: RunningPostgresql,
    registry: Registry,
    told: Acknowledged,
    draw: Random,
) -> int:
    """Let all work, kill PostgreSQL again and again, and return how many changes its log holds in the end."""
    operator = Operator(registry, told)
    working = [
        Repeating(Newcomers(newcomers).let_one_in),
        Repeating(operator.change_the_contract, operator.let_somebody_in),
        *(Repeating(sender.send, sender.look_for_an_assignment) for sender in senders),
    ]
    noted = registry.changes.verify()
    try:
        for _ in range(KILLS_COUNT):
            time.sleep(draw.uniform(0.2, 1.5))
            postgresql.kill()
            time.sleep(draw.uniform(0.0, 0.2))
            postgresql.start()
            found = registry.changes.verify(noted.count, noted.end_hash)
            assert found.fault is None, found.fault
            noted = found
    finally:
        for one in working:
            one.end()
    for one in working:
        if one.error is not None:
            raise one.error
    return registry.changes.verify().count


def _hold_the_promises(registry: Registry, told: Acknowledged) -> None:
    devices = registry.devices.all()
    found = {device.public_key: device.id for device in devices}
    assert len(found) == len(devices), "a computer is two devices"
    assert len(told.devices) > SENDERS_COUNT
    assert found.items() >= told.devices.items(), "a computer that was answered is no device"
    assert len(found) - len(told.devices) <= 1, "at most the last one that asked has not heard its answer"
    for token in told.sessions:
        assert registry.sessions.find(token, IDLE) is not None, "a session that was begun is gone"
    for device_id, version in told.versions.items():
        given = registry.assignments.given(device_id)
        assert given is not None
        assert given.version >= version


def _codes(registry: Registry, count: int) -> list[str]:
    return [one.code for one in registry.codes.issue(SCHOOL, count, LIFETIME, datetime.now(UTC))]


def _until(condition: Callable[[], bool], what: str) -> None:
    ends_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends_s, f"in vain: {what}"
        time.sleep(0.1)


def _journalled(folder: Path) -> Counter[str]:
    journal = Journal(folder / "journal")
    try:
        entries = journal.read(0, journal.position())
        return Counter(each.reading.id for entry in entries for each in entry.accepted)
    finally:
        journal.close()
