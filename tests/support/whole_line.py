"""The whole line in one process, with real parts, to be harmed step by step: outbox, delivery, HTTP, journal, stores.

It knows at every moment what became of each reading that the outbox took, and says so when that is not true.
"""

import asyncio
import random
import resource
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import PlainHttp
from mektep_agent.identity.adoption import adopt
from mektep_agent.identity.device import Device as OwnDevice
from mektep_agent.identity.device import load_device, store_device
from mektep_agent.outbox.parcel import OutboxError
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.uplink.carrier import Answer, Carrier, Consignment, News, NewsOutcome, Renewal
from mektep_agent.uplink.correspondence import Correspondence
from mektep_agent.uplink.delivery import Delivery
from mektep_agent.uplink.http_collector import http_collector
from mektep_agent.uplink.rest import Rest
from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.api.assignment_desk import AssignmentDesk
from mektep_collector.api.metrics import new_metrics
from mektep_collector.api.tokens import create_tokens_router
from mektep_collector.config import Config
from mektep_collector.journal.entry import TimeMethod
from mektep_collector.journal.error import JournalError
from mektep_collector.journal.journal import Journal
from mektep_collector.journal.submission import Submission
from mektep_collector.registry.error import SenderUnknown
from mektep_collector.registry.records import Device
from mektep_collector.registry.registry import Registry, open_registry
from mektep_collector.store.embedded import EmbeddedStore
from mektep_collector.store.embedded.closing import close_day
from mektep_collector.store.error import StoreError
from mektep_collector.store.store import Period, Store
from mektep_wire import Reading, Receipt
from tests.support.acceptance_server import create_acceptance_app
from tests.support.agent_time import BOOT, SetTime, a_reading
from tests.support.dying_folder import DyingFolder, KilledError, Moment
from tests.support.fault_proxy import FaultProxy, Harm, fault_proxy
from tests.support.full_disk import FullDisk, full_disk
from tests.support.newcomer import Newcomer
from tests.support.school_device import SchoolDevice
from tests.support.school_table import EXAMPLE, school_file
from tests.support.serving import serving

ALL_TIME = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
ALMATY = ZoneInfo("Asia/Almaty")
_FAR_FUTURE = datetime(2190, 1, 1, tzinfo=UTC)
_OUTBOX_BYTES = 262_144
_BALLAST_BYTES = 65_536
_PAGE_BYTES = 4_096
_TOKEN_OVERLAP = timedelta(seconds=60)
_NO_POINTS = MeasuringPoints(ndt7_url=None, echo_url=None)
Key = tuple[str, int]


class _Collector:
    """The journal behind the routes, which comes and goes, and the register, which may know no token for a while."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.knows_tokens = True
        self.journal: Journal | None = None

    def authenticate(self, token: str) -> Device:
        if not self.knows_tokens:
            raise SenderUnknown("this token opens nothing")
        return self.registry.senders.authenticate(token)

    async def accept(self, submission: Submission) -> Receipt:
        if self.journal is None:
            raise JournalError("the collector is not running")
        return await self.journal.accept(submission)


class _OverHttp:
    """Carries as the courier does, in this process."""

    def __init__(self, correspondence: Correspondence) -> None:
        self._correspondence = correspondence

    async def send(self, consignment: Consignment) -> Answer:
        return await asyncio.to_thread(self._correspondence.send, consignment)

    async def fetch_assignment(self, current_version: int) -> News:
        return News(outcome=NewsOutcome.UNCHANGED, version=current_version)

    async def renew_token(self, at: datetime) -> Renewal:
        return await asyncio.to_thread(self._correspondence.renew_token, at)


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
        self._registry = open_registry(
            folder / "register", self.collector_time, self.chance, token_overlap=_TOKEN_OVERLAP
        )
        self._opened.callback(self._registry.close)
        self._collector = _Collector(self._registry)
        tokens = create_tokens_router(self._registry, self.collector_time, new_metrics())
        app = create_acceptance_app(self._collector, self._collector, self.collector_time, [tokens])
        _, port = self._opened.enter_context(serving(app))
        self.proxy: FaultProxy = self._opened.enter_context(fault_proxy(self.chance))
        self.proxy.target_port = port
        self._enrol()
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
        try:
            return asyncio.run(self._delivery.deliver(1))
        finally:
            self._registry.senders.write_seen()

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
        """Let the collector know other tokens than the school has: what it sends is refused."""
        self._collector.knows_tokens = False

    def mend_token(self) -> None:
        """Let the collector know the school's tokens again."""
        self._collector.knows_tokens = True

    def rotate_token(self, harm: Harm, killed: Moment | None) -> None:
        """Let the school be asked for a new token, and renew it over a line with `harm`, or be `killed` in it."""
        self.collector_time.pass_s(1)
        self._registry.tokens.ask_renewal(self._device.record.id)
        self._adopt_assignment()
        folder = self._state if killed is None else DyingFolder(self._state.path, killed)
        self.counts[f"line: {harm}"] += harm is not Harm.NONE
        self.proxy.harm = harm
        try:
            with self._correspondence(folder) as correspondence:
                renewal = correspondence.renew_token(self.collector_time.now())
            self.counts[f"token: {renewal.outcome}"] += 1
        except KilledError:
            self.counts[f"token: killed {killed}"] += 1
        self.proxy.harm = Harm.NONE
        if killed is not None:
            self.restart_agent()

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
        self.measure(1)  # there is something to send, whichever token there is to send it by
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
        with self._correspondence(self._state) as correspondence:
            yield _OverHttp(correspondence)

    @contextmanager
    def _correspondence(self, folder: StateFolder) -> Iterator[Correspondence]:
        device = load_device(folder)
        assert device is not None
        url = device.collector_url
        with http_collector(url, self.school_time, connect_timeout_s=5.0, request_timeout_s=10.0) as http:
            yield Correspondence(folder, http, device)

    def _enrol(self) -> None:
        """Make the school's computer a device of the register, with the identity that this leaves on its disk."""
        self._registry.schools.take_in(school_file(EXAMPLE))
        (issued,) = self._registry.codes.issue("0007", 1, timedelta(hours=1), self.collector_time.now())
        newcomer = Newcomer()
        newcomer.key, newcomer.public_key = self._device.key, self._device.record.public_key
        enrolled = self._registry.enrolment.enrol(newcomer.request(issued.code), self.collector_time.now())
        self._device.record = enrolled.device
        device = OwnDevice(
            device_id=enrolled.device.id,
            token=enrolled.token,
            private_key=self._device.key.private_bytes_raw(),
            collector_url=f"http://127.0.0.1:{self.proxy.port}",
            collector_public_key=self._registry.public_key,
            plain_http=PlainHttp.REFUSED,
            school_name="Simulated school",
            enrolled_at=enrolled.device.enrolled_at,
        )
        store_device(self._state, device)
        self._adopt_assignment()

    def _adopt_assignment(self) -> None:
        """Let the school have the assignment that holds, whatever the line lets through."""
        device = self._registry.devices.get(self._device.record.id)
        assert device is not None
        desk = AssignmentDesk(self._registry, _NO_POINTS, Config(), self.collector_time)
        adopt(self._state, desk.issue(device).signed, self._registry.public_key, device.id)
