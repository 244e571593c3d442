"""One collector, and three that share register and InfluxDB, under the same load: `python -m tests.bench.collectors`.

Real `mektep-collector serve` processes with one PostgreSQL and one InfluxDB, each arrangement with new databases: one
collector; three behind a TCP balancer that gives each connection to the next one in turn; three behind one that keeps
an address with its collector. A simulated fleet enrols, then delivers its first school days in batches of 10 and its
further ones in batches of 100. Every batch comes over a connection of its own from its device's own address, as agents
send: all of it goes through the balancer, also to the one collector. Nobody looks at pages.

Counted at the end, reading by reading, in the journals and in InfluxDB: nothing lost, nothing twice. All of it runs on
this one machine: processor seconds are told apart by program, since wall time is shared by them all.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import psutil

from mektep_collector.registry.registry import open_registry
from mektep_collector.simulate.batch import SignedBody, bodies
from mektep_collector.simulate.day import LOCAL
from mektep_collector.simulate.enrolment import Enrolled, enrol
from mektep_collector.simulate.fleet import SimulatedSchool, fleet
from mektep_collector.sla.percentile import percentile
from mektep_collector.store.influx import Address, InfluxStore
from mektep_collector.store.store import Period
from mektep_wire.signature import SIGNATURE_HEADER
from tests.support.acceptance_load import exchange, post_of
from tests.support.balancer import Keeps, running_balancer
from tests.support.conditions import machine, tree_cpu_s, verdict
from tests.support.journal_keys import Key, journalled, keys
from tests.support.peers.influxd import RunningInfluxd, free_port, influxd_obstacle, running_influxd
from tests.support.peers.postgresql import RunningPostgresql, postgresql_obstacle, running_postgresql
from tests.support.running_collector import RunningCollector, running_collector
from tests.support.school_days import days_before

CONNECTIONS_COUNT: Final = 24
SMALL_COUNT: Final = 10
LARGE_COUNT: Final = 100
SMALL_DAYS: Final = 3
LARGE_DAYS: Final = 10
_SEED: Final = 1
_SETTLED_S: Final = 300.0
_POSTED: Final = 'mektep_http_requests_total{method="POST",route="/v1/readings",status="200"}'


class Arrangement(msgspec.Struct, frozen=True):
    """How many collectors stand behind which balancer."""

    name: str
    collectors_count: int
    keeps: Keeps


ARRANGEMENTS: Final = (
    Arrangement("one", 1, Keeps.NOTHING),
    Arrangement("three, in turn", 3, Keeps.NOTHING),
    Arrangement("three, by address", 3, Keeps.ADDRESS),
)


class Posted(msgspec.Struct, frozen=True):
    """A batch on its way: the address that its device has, and the whole request."""

    address: str
    request: bytes


class Load(msgspec.Struct, frozen=True):
    """What is sent at a stretch: batches of at most so many readings, in order."""

    readings_a_batch: int
    readings_count: int
    posted: Sequence[Posted]


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """Processor seconds by program."""

    collectors_s: float
    postgresql_s: float
    influxdb_s: float
    balancer_s: float

    def since(self, before: "Used") -> "Used":
        """Return what was used after `before`."""
        own, then = msgspec.structs.astuple(self), msgspec.structs.astuple(before)
        names = Used.__struct_fields__
        return Used(**{name: one - other for name, one, other in zip(names, own, then, strict=True)})


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """How a load went. Wall time is until the last answer, and until all is in InfluxDB; the processor's until then."""

    arrangement: Arrangement
    load: Load
    answered_s: float
    queryable_s: float
    used: Used
    took_s: Sequence[float]
    handed_on_ratio: float

    @property
    def collectors_us(self) -> float:
        """Return microseconds of the collectors' processors a reading."""
        return 1e6 * self.used.collectors_s / self.load.readings_count

    def line(self) -> str:
        """Return the row of the table."""
        count = self.load.readings_count
        return (
            f"| {self.arrangement.name} | {self.load.readings_a_batch} | {count / self.answered_s:,.0f} "
            f"| {count / self.queryable_s:,.0f} | {count / self.used.collectors_s:,.0f} | {self.collectors_us:.0f} "
            f"| {1e6 * self.used.postgresql_s / count:.0f} | {1e6 * self.used.influxdb_s / count:.0f} "
            f"| {1e6 * self.used.balancer_s / count:.0f} | {self.handed_on_ratio:.1%} "
            f"| {1e3 * percentile(self.took_s, 0.5):.0f} | {1e3 * percentile(self.took_s, 0.99):.0f} "
            f"| {len(self.took_s):,} |"
        )


class Kept(msgspec.Struct, frozen=True):
    """How often each reading was found at the end of an arrangement, and how many had been sent."""

    sent_count: int
    journals: Counter[Key]
    influxdb: Counter[Key]


class Site(msgspec.Struct, frozen=True):
    """The collectors at work and what they share."""

    collectors: Sequence[RunningCollector]
    postgresql: psutil.Process
    influxdb: psutil.Process
    balancer: psutil.Process
    port: int

    def used(self) -> Used:
        """Return what all have used so far."""
        return Used(
            collectors_s=sum(tree_cpu_s(psutil.Process(each.process.pid)) for each in self.collectors),
            postgresql_s=tree_cpu_s(self.postgresql),
            influxdb_s=tree_cpu_s(self.influxdb),
            balancer_s=tree_cpu_s(self.balancer),
        )

    def metric(self, series: str) -> float:
        """Return the sum of a series over all collectors."""
        return sum(each.metric(series) for each in self.collectors)


def measure(
    folder: Path, arrangement: Arrangement, schools_count: int, postgresql: RunningPostgresql, influxd: RunningInfluxd
) -> tuple[list[Carried], Kept]:
    """Set an arrangement up with databases of its own, send it the loads, and count what it kept."""
    country = fleet(schools_count, _SEED)
    registry_url = postgresql.database()
    database = f"mektep_{folder.name.replace('-', '_')}"
    folders = [folder / f"collector-{number}" for number in range(arrangement.collectors_count)]
    loads = _loads(folders[0], registry_url, country)
    for other in folders[1:]:
        shutil.copytree(folders[0] / "keys", other / "keys")
    ports = [free_port() for _ in folders]
    carried = []
    with ExitStack() as opened:
        collectors = []
        for own, port in zip(folders, ports, strict=True):
            settings = _settings(own, registry_url, influxd.port, database, port if len(ports) > 1 else 0)
            options = ("--no-measure", "--port", str(port), "--config", str(settings))
            collectors.append(opened.enter_context(running_collector(own, *options)))
        balancer = opened.enter_context(running_balancer(ports, arrangement.keeps))
        site = Site(collectors, postgresql.process, influxd.process, balancer.process, balancer.port)
        sent_count = 0
        for load in loads:
            sent_count += load.readings_count
            carried.append(_carried(site, arrangement, load, sent_count))
            print(carried[-1].line(), flush=True)
        for collector in collectors:
            collector.end()
    journals: Counter[Key] = Counter()
    for own in folders:
        journals += journalled(own)
    return carried, Kept(sent_count, journals, _in_influxdb(folder, influxd.port, database, country))


def _settings(folder: Path, registry_url: str, influxd_port: int, database: str, peer_port: int) -> Path:
    path = folder / "settings.toml"
    folder.mkdir(exist_ok=True)
    peer = f'peer_url = "http://127.0.0.1:{peer_port}"\n' if peer_port else ""
    path.write_text(
        f'registry_url = "{registry_url}"\nstore = "influxdb"\ninfluxdb_url = "http://127.0.0.1:{influxd_port}"\n'
        f'influxdb_database = "{database}"\n{peer}',
        "utf-8",
    )
    return path


def _loads(data_dir: Path, registry_url: str, country: Sequence[SimulatedSchool]) -> list[Load]:
    """Enrol the fleet, and return what it sends: first days in small batches, further ones in large ones."""
    now = datetime.now(UTC)
    today = (now + LOCAL).date()
    turn = days_before(today, LARGE_DAYS)
    first = days_before(turn, SMALL_DAYS)
    registry = open_registry(data_dir, url=registry_url)
    try:
        devices = list(enrol(registry, country, first, (today - first).days, now, lambda _done, _whole: None))
    finally:
        registry.close()
    return [
        _load(devices, first, turn, SMALL_COUNT, now),
        _load(devices, turn, today, LARGE_COUNT, now),
    ]


def _load(devices: Sequence[Enrolled], since: date, until: date, readings_a_batch: int, now: datetime) -> Load:
    """Return the batches of a span of days: each device's in order, the devices in turn."""
    by_device = []
    for number, device in enumerate(devices):
        own = msgspec.structs.replace(device, since=max(device.since, since), until=min(device.until, until))
        address = f"127.{1 + number // 65_536}.{number // 256 % 256}.{number % 256}"
        by_device.append([(address, device.token, body) for body in bodies(own, now, readings_a_batch)])
    in_turn = [each for each in chain.from_iterable(zip_longest(*by_device)) if each is not None]
    return Load(
        readings_a_batch,
        sum(body.readings_count for _, _, body in in_turn),
        [Posted(address, _request(token, body)) for address, token, body in in_turn],
    )


def _request(token: str, body: SignedBody) -> bytes:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        SIGNATURE_HEADER: body.signature,
    }
    return post_of(headers, body.body)


def _carried(site: Site, arrangement: Arrangement, load: Load, sent_count: int) -> Carried:
    posted_before, used_before, began_s = site.metric(_POSTED), site.used(), time.monotonic()
    took_s = asyncio.run(_send(site.port, load.posted))
    answered_s = time.monotonic() - began_s
    _await_store(site, sent_count)
    queryable_s = time.monotonic() - began_s
    used = site.used().since(used_before)
    batches_count = len(load.posted)
    return Carried(
        arrangement=arrangement,
        load=load,
        answered_s=answered_s,
        queryable_s=queryable_s,
        used=used,
        took_s=took_s,
        handed_on_ratio=(site.metric(_POSTED) - posted_before - batches_count) / batches_count,
    )


async def _send(port: int, posted: Sequence[Posted]) -> list[float]:
    """Send all in order, so many at once; returns the seconds from connecting to each answer."""
    left: Iterator[Posted] = iter(posted)
    took_s: list[float] = []

    async def work() -> None:
        for one in left:
            began_s = time.perf_counter()
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(one.address, 0))
            await exchange(reader, writer, one.request)
            took_s.append(time.perf_counter() - began_s)
            writer.close()
            await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS_COUNT):
            group.create_task(work())
    return took_s


def _await_store(site: Site, readings_count: int) -> None:
    deadline_s = time.monotonic() + _SETTLED_S
    while site.metric("mektep_store_readings") < readings_count:
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"InfluxDB did not take in {readings_count} readings within {_SETTLED_S:.0f} s")
        time.sleep(0.1)


def _in_influxdb(folder: Path, port: int, database: str, country: Sequence[SimulatedSchool]) -> Counter[Key]:
    address = Address(f"http://127.0.0.1:{port}", database)
    store = InfluxStore(address, folder, lambda _school_id: ZoneInfo("Asia/Almaty"))
    now = datetime.now(UTC)
    period = Period(now - timedelta(days=90), now + timedelta(days=1))
    found: Counter[Key] = Counter()
    try:
        for school in country:
            found.update(keys(store.readings(school.id, period)))
    finally:
        store.close()
    return found


def _verdicts(arrangement: Arrangement, carried: Sequence[Carried], kept: Kept) -> None:
    for where, found in (("journals", kept.journals), ("InfluxDB", kept.influxdb)):
        verdict(
            f"{arrangement.name}: lost in {where}, of {kept.sent_count:,}", kept.sent_count - len(found), 0, "readings"
        )
        verdict(f"{arrangement.name}: twice in {where}", found.total() - len(found), 0, "readings")
    if arrangement.collectors_count == 1 or arrangement.keeps is Keeps.ADDRESS:
        most_ratio = max(each.handed_on_ratio for each in carried)
        verdict(f"{arrangement.name}: handed on", most_ratio, 0, "of the batches")


def _compared(one: Sequence[Carried], more: Sequence[Carried]) -> None:
    """Print what a reading costs the collectors against the one collector's, and what follows by arithmetic."""
    for alone, shared in zip(one, more, strict=True):
        times = shared.collectors_us / alone.collectors_us
        count = shared.arrangement.collectors_count
        print(
            f"{shared.arrangement.name}, batches of {shared.load.readings_a_batch}: a reading costs the collectors "
            f"{times:.2f} times what it costs one; by arithmetic {count} machines of their own carry "
            f"{count / times:.1f} times as much, while PostgreSQL and InfluxDB keep up."
        )


def main() -> None:
    """Print what one collector and what three carry of the same load, each by program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=600)
    given = parser.parse_args()
    for obstacle in (postgresql_obstacle(), influxd_obstacle()):
        if obstacle is not None:
            raise SystemExit(f"not measured: {obstacle}")
    print(
        f"{given.schools} simulated schools, seed {_SEED}: {SMALL_DAYS} school days in batches of {SMALL_COUNT}, then "
        f"{LARGE_DAYS} in batches of {LARGE_COUNT}; {CONNECTIONS_COUNT} connections at once, a new one for each batch. "
        f"{machine('fastapi', 'uvicorn', 'uvloop', 'httpx', 'msgspec', 'psycopg')}; PostgreSQL and InfluxDB 1.8.10 on "
        "the same machine, an fsync for each write.\n"
        "| collectors | a batch at most | readings/s answered | readings/s until in InfluxDB "
        "| readings a CPU-second of the collectors | us a reading: collectors | PostgreSQL | InfluxDB | balancer "
        "| batches handed on | answer p50 ms | p99 ms | n batches |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        Path(folder).chmod(0o711)  # PostgreSQL's user reaches its own folder through this one
        influxdb_folder = Path(folder) / "influxdb"
        influxdb_folder.mkdir()
        postgresql = opened.enter_context(running_postgresql(Path(folder) / "postgresql"))
        influxd = opened.enter_context(running_influxd(influxdb_folder))
        found = []
        for number, arrangement in enumerate(ARRANGEMENTS):
            own = Path(folder) / f"arrangement-{number}"
            own.mkdir()
            found.append(measure(own, arrangement, given.schools, postgresql, influxd))
    for arrangement, (carried, kept) in zip(ARRANGEMENTS, found, strict=True):
        _verdicts(arrangement, carried, kept)
    for carried, _ in found[1:]:
        _compared(found[0][0], carried)
    print(f"Load {'/'.join(f'{each:.2f}' for each in os.getloadavg())} at the end.")


if __name__ == "__main__":
    main()
