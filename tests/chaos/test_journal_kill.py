"""kill -9 of the accepting process, again and again: what was acknowledged is there, everything is there once."""

import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from mektep_collector.journal.entry import Accepted
from mektep_collector.journal.journal import Journal
from mektep_collector.store.embedded import EmbeddedStore
from mektep_collector.store.store import Period
from mektep_wire import FateOutcome, Reading, Receipt, decode
from tests.support.acceptance_server import in_influxdb, write_devices
from tests.support.fault_proxy import Harm, fault_proxy
from tests.support.peers.influxd import RunningInfluxd
from tests.support.school_device import NOON, SchoolDevice

KILL_COUNT = int(os.environ.get("MEKTEP_CHAOS_KILLS", "10"))
DEVICE_COUNT = 4
BATCH_COUNT = 40
BATCHES_A_CONNECTION = 20
HARMS = (Harm.NONE, Harm.NONE, Harm.REFUSE, Harm.CUT_REQUEST, Harm.LOSE_REPLY, Harm.CUT_REPLY, Harm.SLICE)
DEADLINE_S = 30.0
EVERYTHING = Period(NOON - timedelta(days=30), NOON + timedelta(days=30))


class Sender:
    """A device that sends what is not acknowledged until it is, as an agent's outbox does."""

    def __init__(self, seed: int) -> None:
        self.device = SchoolDevice(seed, school_id=f"school {seed}")
        self.pending: dict[str, Reading] = {}
        self.acknowledged: set[str] = set()
        self.seq = 0
        self.duplicate_count = 0
        self.broken_count = 0

    def send_until(self, over: Callable[[], bool], port: int, *, measuring: bool) -> None:
        """Send batch after batch, over a new connection after each that broke, until `over` or nothing is left."""
        while not over():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
            try:
                for _ in range(BATCHES_A_CONNECTION):
                    if measuring:
                        self._measure()
                    if over() or not self.pending:
                        break
                    self._send(connection)
            except (OSError, http.client.HTTPException):
                self.broken_count += 1
            finally:
                connection.close()
            if not self.pending:
                return

    def _measure(self) -> None:
        for _ in range(self.device.random.randint(1, BATCH_COUNT)):
            self.seq += 1
            reading = self.device.reading(self.seq, NOON - timedelta(minutes=self.seq % 10_000))
            self.pending[reading.id] = reading

    def _send(self, connection: http.client.HTTPConnection) -> None:
        chosen = list(self.pending.values())[:BATCH_COUNT]
        body = gzip.compress(self.device.batch(chosen), 1)
        connection.request("POST", "/v1/readings", body, self.device.headers(body))
        response = connection.getresponse()
        content = response.read()
        assert response.status == 200, content
        for fate in decode(Receipt, content).fates:
            assert fate.outcome in (FateOutcome.STORED, FateOutcome.DUPLICATE)
            self.duplicate_count += fate.outcome is FateOutcome.DUPLICATE
            self.acknowledged.add(chosen[fate.index].id)
            del self.pending[chosen[fate.index].id]


def _start(directory: Path, influxdb_port: int) -> tuple[subprocess.Popen[bytes], int]:
    (directory / "port").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.support.acceptance_server", str(directory), str(directory / "devices.json")]
    stores = ["--feed", "--influxdb-port", str(influxdb_port)]
    process = subprocess.Popen([*command, *stores, "--log-limit-pages", "60"])
    deadline_s = time.monotonic() + DEADLINE_S
    while not (directory / "port").exists():
        assert process.poll() is None, "the server cannot start after it was killed"
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return process, int((directory / "port").read_text("utf-8"))


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


@pytest.mark.slow
@pytest.mark.peer
def test_whatever_was_acknowledged_is_there_and_everything_once(influxd: RunningInfluxd, tmp_path: Path) -> None:
    random = Random(20261123)
    senders = [Sender(seed) for seed in range(DEVICE_COUNT)]
    write_devices(tmp_path / "devices.json", [sender.device for sender in senders])
    with ThreadPoolExecutor(DEVICE_COUNT) as pool, fault_proxy(random, HARMS) as proxy:
        for _ in range(KILL_COUNT):
            process, proxy.target_port = _start(tmp_path, influxd.port)
            killed_s = time.monotonic() + random.uniform(0.01, 0.4)
            jobs = [
                pool.submit(sender.send_until, partial(_has_ended, process), proxy.port, measuring=True)
                for sender in senders
            ]
            time.sleep(max(0.0, killed_s - time.monotonic()))
            process.send_signal(signal.SIGKILL)
            process.wait(DEADLINE_S)
            for job in jobs:
                job.result(DEADLINE_S)
        process, port = _start(tmp_path, influxd.port)
        for job in [pool.submit(sender.send_until, lambda: False, port, measuring=False) for sender in senders]:
            job.result(DEADLINE_S)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0

    sent = {reading_id for sender in senders for reading_id in sender.acknowledged}
    assert len(sent) == sum(sender.seq for sender in senders) > KILL_COUNT * DEVICE_COUNT
    assert not any(sender.pending for sender in senders)
    accepted = _journalled(tmp_path)
    counted = Counter(each.reading.id for each in accepted)
    assert set(counted) == sent
    assert set(counted.values()) == {1}
    _the_stores_that_were_killed_too_are_as_one_made_anew(tmp_path, influxd.port)
    print(json.dumps({
        "kills": KILL_COUNT, "readings": len(sent), "duplicates": sum(sender.duplicate_count for sender in senders),
        "broken connections": sum(sender.broken_count for sender in senders), "lost": 0, "twice": 0,
    }))  # fmt: skip


def _journalled(directory: Path) -> list[Accepted]:
    journal = Journal(directory / "journal")
    try:
        for seed in range(DEVICE_COUNT):
            assert journal.gaps(SchoolDevice(seed).record.id) == []
        entries = journal.read(0, journal.position())
        assert [entry.position for entry in entries] == list(range(1, journal.position() + 1))
        return [each for entry in entries for each in entry.accepted]
    finally:
        journal.close()


def _the_stores_that_were_killed_too_are_as_one_made_anew(directory: Path, influxdb_port: int) -> None:
    journal = Journal(directory / "journal")
    killed, anew = (
        EmbeddedStore(directory / name, lambda _school_id: ZoneInfo("Asia/Almaty")) for name in ("store", "anew")
    )
    forwarded = in_influxdb(influxdb_port, directory)
    try:
        for store in (killed, forwarded, anew):
            store.put(journal.read(store.position(), journal.position()))
        for store in (killed, forwarded):
            assert store.position() == anew.position() == journal.position()
            assert store.count() == anew.count()
            for seed in range(DEVICE_COUNT):
                found = store.readings(f"school {seed}", EVERYTHING)
                assert len(found) == len({each.reading.id for each in found})
                assert {each.reading.id for each in found} == {
                    each.reading.id for each in anew.readings(f"school {seed}", EVERYTHING)
                }
    finally:
        for opened in (killed, forwarded, anew, journal):
            opened.close()
