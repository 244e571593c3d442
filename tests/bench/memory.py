"""Whether the accepting server's memory stays flat while ten million readings come: `python -m tests.bench.memory`.

A real server process: the route of POST /v1/readings, the journal, the embedded store fed beside, and days closed by
the closing process as `serve` closes them. Register, pages and measuring server are not part of it.

200 computers of as many schools deliver a day's 500 readings in the evening, in one batch: a day of 100,000 readings,
as 1,667 schools with sixty each would make. The server's clock stands in that evening until all of them are in, and
then in the next; so ten million readings are 100 school days. Four connections send one batch after another without a
pause, and wait only at each sample, until all that came is in the store and all days but the last are closed.

Batches are made meanwhile by two processes that give way to the server; numbers, ids and times are new in each, the
values come again day by day. It takes some two gigabytes below the temporary folder, which are deleted at the end.
"""

import argparse
import asyncio
import multiprocessing
import os
import signal
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from functools import cache
from multiprocessing.pool import AsyncResult, Pool
from pathlib import Path
from typing import Final

import apsw
import msgspec

from mektep_collector.sla.percentile import percentile
from mektep_collector.store.embedded.manifest import read_manifest
from tests.support.acceptance_load import RunningAcceptance, load, request_of, running_acceptance
from tests.support.acceptance_server import write_devices
from tests.support.conditions import cpu_s, machine, verdict
from tests.support.day_batches import DayPattern
from tests.support.memory_told import MemoryTold
from tests.support.school_device import SchoolDevice

DEVICES_COUNT: Final = 200
BATCH_COUNT: Final = 500
READINGS_A_DAY: Final = DEVICES_COUNT * BATCH_COUNT
SAMPLES_COUNT: Final = 10
CONNECTIONS_COUNT: Final = 4
GROWTH_BOUND_RATIO: Final = 0.10
SLOPE_BOUND_MB: Final = 2.0
"""A million readings are two school days of 7,500 schools: at this slope a school year of 200 days would add 180 MB."""
ANSWER_BOUND_MS: Final = 100.0
_GENERATORS_COUNT: Final = 2
_DAYS_AHEAD: Final = 3
_NICENESS: Final = 10
_DEADLINE_S: Final = 600.0


class Sample(msgspec.Struct, frozen=True):
    """What the server had when so many readings were in journal and store, and all days but the last were closed."""

    readings_count: int
    memory: MemoryTold
    took_s: Sequence[float]
    cpu_s: float
    wall_s: float

    @property
    def rss_mb(self) -> float:
        """Return resident memory as it was found."""
        return self.memory.rss_bytes / 1e6

    def line(self) -> str:
        """Return the line to print."""
        memory = self.memory
        return (
            f"{self.readings_count:12,} readings: resident {self.rss_mb:6.1f} MB, after a collection "
            f"{memory.rss_collected_bytes / 1e6:6.1f} MB; SQLite {memory.sqlite_bytes / 1e6:5.1f} MB, "
            f"{memory.blocks_count:7,} blocks of Python;  answer p50 "
            f"{1e3 * percentile(self.took_s, 0.5):5.1f} ms  p99 {1e3 * percentile(self.took_s, 0.99):5.1f} ms "
            f"(n = {len(self.took_s):,} batches);  {self.cpu_s:5.1f} CPU-seconds, {self.wall_s:5.1f} s of wall time"
        )


@cache
def _devices() -> list[SchoolDevice]:
    return [SchoolDevice(seed, school_id=f"{seed:05d}") for seed in range(DEVICES_COUNT)]


@cache
def _pattern() -> DayPattern:
    return DayPattern(BATCH_COUNT, seed=DEVICES_COUNT)


def _slice(day_number: int, share: int) -> list[bytes]:
    """Return the requests of a day of one of the generators' share of devices."""
    own = _devices()[share::_GENERATORS_COUNT]
    first_seq = day_number * BATCH_COUNT + 1
    return [request_of(device, _pattern().batch(device, day_number, first_seq)) for device in own]


def measure(directory: Path, days_count: int) -> list[Sample]:
    """Send so many days, and return a sample after each tenth of them; prints each as it is taken."""
    write_devices(directory / "devices.json", _devices())
    _pattern()
    samples: list[Sample] = []
    with (
        running_acceptance(directory, "--feed", "--readings-a-day", str(READINGS_A_DAY)) as server,
        multiprocessing.get_context("fork").Pool(_GENERATORS_COUNT, os.nice, (_NICENESS,)) as pool,
    ):
        coming: deque[list[AsyncResult[list[bytes]]]] = deque()
        took_s: list[float] = []
        used_s, began_s = cpu_s(server.process), time.monotonic()
        for day_number in range(days_count):
            while len(coming) < _DAYS_AHEAD and day_number + len(coming) < days_count:
                coming.append(_asked(pool, day_number + len(coming)))
            requests = [request for part in coming.popleft() for request in part.get()]
            shares = [requests[first::CONNECTIONS_COUNT] for first in range(CONNECTIONS_COUNT)]
            took_s += asyncio.run(load(server.port, shares))
            done_count = day_number + 1
            if done_count * SAMPLES_COUNT % days_count < SAMPLES_COUNT:
                server.await_fed(done_count * READINGS_A_DAY)
                _await_closed(directory, done_count - 1)
                memory = _memory(server, is_last=done_count == days_count)
                now_s, cpu_now_s = time.monotonic(), cpu_s(server.process)
                count = done_count * READINGS_A_DAY
                samples.append(Sample(count, memory, took_s, cpu_now_s - used_s, now_s - began_s))
                print(samples[-1].line(), flush=True)
                took_s, used_s, began_s = [], cpu_now_s, now_s
    return samples


def _asked(pool: Pool, day_number: int) -> list[AsyncResult[list[bytes]]]:
    return [pool.apply_async(_slice, (day_number, share)) for share in range(_GENERATORS_COUNT)]


def _await_closed(directory: Path, days_count: int) -> None:
    deadline_s = time.monotonic() + _DEADLINE_S
    while _closed_count(directory) < days_count:
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"{_closed_count(directory)} of {days_count} days were closed in {_DEADLINE_S:.0f} s")
        time.sleep(0.1)


def _closed_count(directory: Path) -> int:
    return len(read_manifest(directory / "store" / "days").files)


def _memory(server: RunningAcceptance, *, is_last: bool) -> MemoryTold:
    """Ask the server for its memory; the last time, what it keeps for later is given back first."""
    told = server.directory / "memory.json"
    server.process.send_signal(signal.SIGUSR2 if is_last else signal.SIGUSR1)
    deadline_s = time.monotonic() + _DEADLINE_S
    while not told.exists():
        if time.monotonic() > deadline_s:
            raise RuntimeError("the server does not tell what memory it has")
        time.sleep(0.05)
    memory = msgspec.json.decode(told.read_bytes(), type=MemoryTold)
    told.unlink()
    return memory


def _journalled_count(directory: Path) -> int:
    """Return how many different readings the journal knows of."""
    path = str(directory / "journal" / "journal.sqlite")
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(connection.execute("SELECT sum(last_seq - first_seq + 1) FROM received_range").get)
    finally:
        connection.close()


def _size_gb(directory: Path) -> float:
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()) / 1e9


def _verdicts(samples: Sequence[Sample], journalled_count: int) -> None:
    sent_count = samples[-1].readings_count
    settled = samples[1:]
    first_mb, last_mb = settled[0].rss_mb, settled[-1].rss_mb
    slope_mb = statistics.linear_regression(
        [each.readings_count / 1e6 for each in settled], [each.rss_mb for each in settled]
    ).slope
    span = f"from {settled[0].readings_count:,} to {sent_count:,} readings"
    everything = [each for sample in samples for each in sample.took_s]
    p99_ms = 1e3 * percentile(everything, 0.99)
    print(f"Answers: p50 {1e3 * percentile(everything, 0.5):.1f} ms, p99 {p99_ms:.1f} ms, worst "
          f"{1e3 * max(everything):.1f} ms (n = {len(everything):,} batches).")  # fmt: skip
    verdict(f"resident memory grows {span}", (last_mb - first_mb) / first_mb, GROWTH_BOUND_RATIO, "of what it was")
    verdict(f"slope of resident memory {span} (n = {len(settled)})", slope_mb, SLOPE_BOUND_MB, "MB a million")
    verdict("p99 of the answer", p99_ms, ANSWER_BOUND_MS, "ms")
    verdict("readings that journal and store lack or have twice", abs(sent_count - journalled_count), 0, "readings")


def main() -> None:
    """Print the server's memory as readings come, and whether it stays flat."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=10_000_000, help="rounded down to whole days a tenth")
    parser.add_argument("--directory", type=Path, help="where the data lie meanwhile; default: a temporary folder")
    given = parser.parse_args()
    days_count = max(SAMPLES_COUNT, given.readings // READINGS_A_DAY // SAMPLES_COUNT * SAMPLES_COUNT)
    print(
        f"{days_count * READINGS_A_DAY:,} readings of {DEVICES_COUNT} devices on {days_count} days in batches of "
        f"{BATCH_COUNT}, over {CONNECTIONS_COUNT} connections. "
        f"{machine('fastapi', 'uvicorn', 'uvloop', 'msgspec', 'apsw')}, every commit of the journal on disk.",
        flush=True,
    )
    with tempfile.TemporaryDirectory(dir=given.directory) as folder:
        directory = Path(folder)
        samples = measure(directory, days_count)
        journalled_count = _journalled_count(directory)
        closed_count, size_gb = _closed_count(directory), _size_gb(directory)
    trimmed = samples[-1].memory.rss_trimmed_bytes
    assert trimmed is not None
    print(
        f"{closed_count} days closed; journal and store take {size_gb:.2f} GB; of the last {samples[-1].rss_mb:.1f} "
        f"MB, {trimmed / 1e6:.1f} MB stay resident when the C library gives back what it keeps for later."
    )
    _verdicts(samples, journalled_count)


if __name__ == "__main__":
    main()
