"""The whole line in one process, with real parts, to be harmed step by step: outbox, delivery, HTTP, journal, stores.

It knows at every moment what became of each reading that the outbox took, and says so when that is not true.
"""

import asyncio
import random
import resource
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import PlainHttp
from mektep_agent.identity.device import Device as OwnDevice
from mektep_agent.outbox.parcel import OutboxError
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.uplink.carrier import Answer, Carrier, Consignment, News, NewsOutcome
from mektep_agent.uplink.delivery import Delivery
from mektep_agent.uplink.http_collector import HttpCollector, http_collector
from mektep_agent.uplink.rest import Rest
from mektep_collector.journal.entry import TimeMethod
from mektep_collector.journal.error import JournalError
from mektep_collector.journal.journal import Journal
from mektep_collector.journal.submission import Submission
from mektep_collector.registry.error import SenderUnknown
from mektep_collector.registry.records import Device
from mektep_collector.store.embedded import EmbeddedStore
from mektep_collector.store.embedded.closing import close_day
from mektep_collector.store.error import StoreError
from mektep_collector.store.store import Period, Store
from mektep_wire import Reading, Receipt
from tests.support.acceptance_server import create_acceptance_app
from tests.support.agent_time import BOOT, SetTime, a_reading
from tests.support.fault_proxy import FaultProxy, Harm, fault_proxy
from tests.support.full_disk import FullDisk, full_disk
from tests.support.school_device import SchoolDevice
from tests.support.serving import serving

ALL_TIME = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
ALMATY = ZoneInfo("Asia/Almaty")
_FAR_FUTURE = datetime(2190, 1, 1, tzinfo=UTC)
_OUTBOX_BYTES = 262_144
_BALLAST_BYTES = 65_536
_PAGE_BYTES = 4_096
Key = tuple[str, int]


class _Collector:
    """The journal behind the route, which comes and goes; the token that it knows."""

    def __init__(self, device: SchoolDevice, time: SetTime) -> None:
        self.device = device
        self.token = device.token
        self.time = time
        self.journal: Journal | None = None

    def authenticate(self, token: str) -> Device:
        if token != self.token:
            raise SenderUnknown("this token opens nothing")
        return self.device.record

    async def accept(self, submission: Submission) -> Receipt:
        if self.journal is None:
            raise JournalError("the collector is not running")
        return await self.journal.accept(submission)


class _OverHttp:
    """Carries as the courier does, in this process."""

    def __init__(self, http: HttpCollector, device: OwnDevice) -> None:
        self._http = http
        self._device = device

    async def send(self, consignment: Consignment) -> Answer:
        return await asyncio.to_thread(self._http.post_batch, self._device, consignment)

    async def fetch_assignment(self, current_version: int) -> News:
        return News(outcome=NewsOutcome.UNCHANGED, version=current_version)


class WholeLine:
    """One school's computer and the collector, in `folder`. Close it when done."""

    def __init__(self, folder: Path, open_further: Callable[[Path], Store], seed: int) -> None:
        """Begin with nothing; `open_further` opens a second store, which has what was kept under its folder's name."""
        self.chance = random.Random(seed)
        self.school_time, self.collector_time = SetTime(), SetTime()
        self._opened = ExitStack()
        self._folder = folder
        self._data = folder / "collector"
        self._state = StateFolder(folder / "agent")
        self.disk: FullDisk = self._opened.enter_context(full_disk(self._data))
        self._device = SchoolDevice(seed)
        self._collector = _Collector(self._device, self.collector_time)
        app = create_acceptance_app(self._collector, self._collector, self.collector_time)
        _, port = self._opened.enter_context(serving(app))
        self.proxy: FaultProxy = self._opened.enter_context(fault_proxy(self.chance))
        self.proxy.target_port = port
        self._open_further = open_further
        self._further_count = 0
        self._further = self._begin_further()
        self._start_agent()
        self._store: EmbeddedStore | None = None
        self.start_collector()
        self._backup: Path | None = None
        self._backups_count = 0
        self._wrong_by_s = 0.0
        self.put: dict[Key, str] = {}
        """Every reading that the outbox took, by epoch and number: its id."""
        self.set_aside: set[Key] = set()
        self.lost_by_restore: set[Key] = set()
        self._dropped_before_count = 0
        self.counts: Counter[str] = Counter()

    def close(self) -> None:
        """End all parts."""
        self.stop_collector()
        self._outbox.close()
        self._further.close()
        self._opened.close()

    @property
    def is_running(self) -> bool:
        """Whether the collector is."""
        return self._collector.journal is not None

    def measure(self, count: int) -> None:
        """Let the school measure; what the outbox takes counts."""
        self.school_time.pass_s(60)
        for reading in self._outbox.put([self._made() for _ in range(count)]):
            self.put[(reading.epoch, reading.seq)] = reading.id

    def measure_on_a_full_disk(self, count: int) -> None:
        """Let the school measure while its disk takes no more than it holds."""
        self.counts["the school's disk full"] += 1
        size_bytes = (self._state.path / "outbox.sqlite").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
        try:
            self.measure(count)
        except OutboxError:
            self.counts["measured without room"] += 1
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def deliver(self, harm: Harm) -> Rest:
        """Let the school send all that waits, over a line with `harm`."""
        self.counts[f"line: {harm}"] += harm is not Harm.NONE
        self.proxy.harm = harm
        self.school_time.pass_s(30)
        self.collector_time.pass_s(30)
        return asyncio.run(self._delivery.deliver(1))

    def set_clock(self, wrong_by_s: float) -> None:
        """Let the school's clock be wrong by so much."""
        self.counts["clock set"] += 1
        self.school_time.step_s(wrong_by_s - self._wrong_by_s)
        self._wrong_by_s = wrong_by_s

    def restart_agent(self) -> None:
        """End the school's program and start it again."""
        self._outbox.close()
        self._start_agent()

    def spoil_outbox(self) -> None:
        """Let the disk of the school's computer spoil the outbox while the program is off."""
        waiting = self._waiting()
        self._dropped_before_count += self._outbox.census().dropped_count
        self._outbox.close()
        path = self._state.path / "outbox.sqlite"
        octets = bytearray(path.read_bytes())
        for at in range(0, len(octets), _PAGE_BYTES):
            octets[at : at + 512] = self.chance.randbytes(512)
        path.write_bytes(bytes(octets))
        self._start_agent()
        assert len(self._outbox.set_aside) == 1, "a spoilt outbox was not set aside"
        kept = self._state.path / self._outbox.set_aside[0].file
        assert kept.read_bytes() == bytes(octets), "what was set aside is not what was there"
        self.set_aside |= waiting

    def change_token(self) -> None:
        """Let the collector know another token than the school has: what it sends is refused."""
        self._collector.token = f"{self._device.token[:-1]}x"

    def mend_token(self) -> None:
        """Let the school have the right token again."""
        self._collector.token = self._device.token

    def stop_collector(self) -> None:
        """End journal and store.

        SQLite lets be what it cannot write while it closes; through a file system of ours it would be raised.
        """
        self.disk.is_full = False
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._collector.journal is not None:
            self._collector.journal.close()
            self._collector.journal = None

    def start_collector(self) -> None:
        """Open journal and store."""
        if self._collector.journal is None:
            self._collector.journal = Journal(self._data / "journal")
            self._store = EmbeddedStore(self._data / "store", lambda _school_id: ALMATY, close_day)

    def forget_store(self) -> None:
        """Lose the embedded store; it is made again from the journal."""
        self.stop_collector()
        shutil.rmtree(self._data / "store")
        self.start_collector()

    def back_up(self) -> None:
        """Copy the collector's data while it is off."""
        self.stop_collector()
        self._backups_count += 1
        self._backup = self._folder / f"backup {self._backups_count}"
        shutil.copytree(self._data, self._backup)
        self.start_collector()

    def restore(self) -> None:
        """Set the collector back to the backup: what it took since is known to be lost, and nothing else."""
        if self._backup is None:
            return
        before = set(self.journalled())
        self.stop_collector()
        shutil.rmtree(self._data)
        shutil.copytree(self._backup, self._data)
        self.start_collector()
        self.lost_by_restore |= before - set(self.journalled())
        self._backup = None

    def feed(self) -> None:
        """Feed the stores from the journal, as far as the disk lets them."""
        journal = self._running()
        for name, store in self._stores().items():
            if store.position() > journal.position():
                # A store beyond its journal, as after a restore: it is begun anew, as its operator is told to.
                self._begin_anew(name)
                self.feed()
                return
            try:
                while store.position() < journal.position():
                    store.put(journal.read(store.position(), 3))
            except StoreError:
                self.counts["store not fed"] += 1

    def close_days(self) -> None:
        """Move days into files of their own."""
        assert self._store is not None
        try:
            for day in self._store.due_days(_FAR_FUTURE):
                self._store.close_day(day)
                self.counts["day files"] += 1
        except StoreError:
            self.counts["days not closed"] += 1

    def journalled(self) -> dict[Key, str]:
        """Return what the journal holds, by epoch and number, each once: its id."""
        found: dict[Key, str] = {}
        journal = self._running()
        for entry in journal.read(0, journal.position()):
            for each in entry.accepted:
                key = (each.reading.epoch, each.reading.seq)
                assert key not in found, f"{key} is in the journal twice"
                found[key] = each.reading.id
        return found

    def check(self) -> None:
        """Hold all promises: nothing lost, nothing twice, gaps known, each store as the journal."""
        if self._collector.journal is None:
            return
        journalled = self.journalled()
        for key, id_ in journalled.items():
            assert self.put[key] == id_, f"{key} is another reading in the journal"
        dropped_count = self._dropped_before_count + self._outbox.census().dropped_count
        gone = self.put.keys() - journalled.keys() - self._waiting() - self.set_aside - self.lost_by_restore
        # Some of those that were dropped had arrived, without the school's knowing.
        assert len(gone) <= dropped_count, f"{len(gone)} are gone, {dropped_count} were dropped: {sorted(gone)[:5]}"
        self._check_gaps(set(journalled))
        for name, store in self._stores().items():
            if store.position() == self._running().position():
                self._check_store(name, store, journalled)

    def settle(self) -> None:
        """Heal everything, send all that waits, feed the stores: now all is where it belongs."""
        self.disk.is_full = False
        self.mend_token()
        self.start_collector()
        for _ in range(20):
            if not self._waiting():
                break
            self.deliver(Harm.NONE)
        assert not self._waiting(), "some readings never arrive"
        self.feed()
        for name, store in self._stores().items():
            assert store.position() == self._running().position(), f"{name} is not fed"
        self.check()

    def _check_gaps(self, held: set[Key]) -> None:
        known = {
            (gap.epoch, seq)
            for gap in self._running().gaps(self._device.record.id)
            for seq in range(gap.first_seq, gap.last_seq + 1)
        }
        last: dict[str, int] = {}
        for epoch, seq in held:
            last[epoch] = max(last.get(epoch, 0), seq)
        assert known == {(epoch, seq) for epoch, end in last.items() for seq in range(1, end + 1)} - held

    def _check_store(self, name: str, store: Store, journalled: Mapping[Key, str]) -> None:
        assert store.count() == len(journalled), f"{name} counts {store.count()} of {len(journalled)}"
        told = [each.reading.id for each in store.readings(self._device.record.school_id, ALL_TIME)]
        assert len(told) == len(set(told)), f"{name} has a reading twice"
        journal = self._running()
        trusted = {
            each.reading.id
            for entry in journal.read(0, journal.position())
            for each in entry.accepted
            if each.time_method is not TimeMethod.QUARANTINED
        }
        assert set(told) == trusted, f"{name} tells other readings than the journal"

    def _stores(self) -> dict[str, Store]:
        assert self._store is not None
        return {"embedded": self._store, "further": self._further}

    def _begin_anew(self, name: str) -> None:
        if name == "embedded":
            self.forget_store()
            return
        self._further.close()
        self._further = self._begin_further()

    def _begin_further(self) -> Store:
        self._further_count += 1
        return self._open_further(self._folder / f"further-{self._further_count}")

    def _running(self) -> Journal:
        assert self._collector.journal is not None
        return self._collector.journal

    def _waiting(self) -> set[Key]:
        parcel = self._outbox.parcel(10**6, 10**9)
        return {(parcel.epoch, one.seq) for one in parcel.queued}

    def _made(self) -> Reading:
        at = self.school_time.now() - timedelta(seconds=self.chance.uniform(0, 50))
        return a_reading(self.chance, at)

    def _start_agent(self) -> None:
        self._outbox = Outbox(
            self._state, self.school_time, self.chance, max_bytes=_OUTBOX_BYTES, ballast_bytes=_BALLAST_BYTES
        )
        outbox = ThreadedOutbox(self._outbox)
        self._delivery = Delivery(outbox, self._carriers, self.school_time, self.chance, BOOT)

    @asynccontextmanager
    async def _carriers(self) -> AsyncIterator[Carrier]:
        url = f"http://127.0.0.1:{self.proxy.port}"
        with http_collector(url, self.school_time, connect_timeout_s=5.0, request_timeout_s=10.0) as http:
            yield _OverHttp(http, self._own(url))

    def _own(self, url: str) -> OwnDevice:
        return OwnDevice(
            device_id=self._device.record.id,
            token=self._device.token,
            private_key=self._device.key.private_bytes_raw(),
            collector_url=url,
            collector_public_key=bytes(32),
            plain_http=PlainHttp.REFUSED,
            school_name="Simulated school",
            enrolled_at=self._device.record.enrolled_at,
        )
