"""How cost grows with the country: `python -m tests.bench.cost_curve`, at 1, 10 and 100 times a region of 375 schools.

Acceptance: the journal holds a school day of each known device already, sixty readings of each put there by its own
`accept`. Then every device sends a batch of ten readings once, and after that the same load comes at every size:
batches of ten from all devices in turn, over real HTTP, to the real route and journal in a process of its own. Told is
the server's processor time a reading, the median of five parts of the load. The store is not fed meanwhile.

Questions: the embedded store holds the last days of all schools, and thirty days of the first 375 of them, each day
closed. Asked by a process of its own are one school's thirty days, one school's newest readings, and of the whole
country the newest readings and the table by regions of the last days: each once before it counts, then in rounds.
Told is the processor time of a question, all threads, as the least of the rounds' medians: files are in the system's
cache by then, and what else the machine does only makes a round dearer.

The exponent of a step is log(cost ratio) / log(ratio of schools): 0 is a cost that stays, 1 one that grows as the data.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from math import log
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from mektep_collector.journal.journal import Journal
from mektep_collector.store.embedded import ClosingProcess
from mektep_collector.store.store import Period
from mektep_wire import Metric
from tests.bench.store import FIRST_DAY, fill, open_store, places_of, region_of
from tests.support.acceptance_load import RunningAcceptance, load, request_of, running_acceptance
from tests.support.acceptance_server import write_devices
from tests.support.conditions import cpu_s, machine, verdict
from tests.support.country_days import BATCHES_A_DAY, READINGS_A_BATCH, SimulatedSchool, schools
from tests.support.day_batches import DayPattern, sent_on
from tests.support.school_device import SchoolDevice

REGION_COUNT: Final = 375
TIMES: Final = (1, 10, 100)
DAY_COUNT: Final = BATCHES_A_DAY * READINGS_A_BATCH
BATCH_COUNT: Final = 10
PARTS_COUNT: Final = 5
CONNECTIONS_COUNT: Final = 8
FLAT_BOUND: Final = 0.1
"""A quarter more at ten times the size: caches of the processor and deeper indexes, and no more than that."""
LINEAR_BOUND: Final = 1.05
_SEED: Final = 1
_AT_ONCE: Final = 64
_SLICE_COUNT: Final = 1_500
_ASKED_COUNT: Final = 50
_SCHOOLS_ROUNDS_COUNT: Final = 20
_COUNTRYS_ROUNDS_COUNT: Final = 5


class Cost(msgspec.Struct, frozen=True):
    """What one thing costs at each size, in `unit`; its exponent between sizes is to stay at or below `bound`."""

    name: str
    unit: str
    bound: float
    values: list[float]

    def tell(self) -> None:
        """Print the row."""
        told = " | ".join(f"{value:,.2f}" for value in self.values)
        print(f"| {self.name}, {self.unit} | {told} |", flush=True)

    def judge(self, sizes: Sequence[int]) -> None:
        """Print a verdict for each step between sizes."""
        for place in range(1, len(self.values)):
            exponent = log(self.values[place] / self.values[place - 1]) / log(sizes[place] / sizes[place - 1])
            step = f"from {sizes[place - 1]:,} to {sizes[place]:,} schools"
            verdict(f"exponent of {self.name} {step}", exponent, self.bound, "(as the data: 1)")


class Asked(msgspec.Struct, frozen=True):
    """What questions took of a processor at one size, in milliseconds: the least of the rounds' medians."""

    school_days_ms: float
    school_latest_ms: float
    table_ms: float
    latest_ms: float


def acceptance_us(directory: Path, devices: Sequence[SchoolDevice], batches_count: int) -> float:
    """Return microseconds of the server's processor a reading, where the journal has a day of every device."""
    asyncio.run(_fill_journal(directory, devices))
    write_devices(directory / "devices.json", devices)
    pattern = DayPattern(BATCH_COUNT, _SEED)
    rounds = ((device, number) for number in range(1, 1 + batches_count) for device in devices)
    requests = (
        request_of(device, pattern.batch(device, number, DAY_COUNT + (number - 1) * BATCH_COUNT + 1))
        for device, number in rounds
    )
    part_count = batches_count // PARTS_COUNT
    with running_acceptance(directory) as server:
        _send(server, islice(requests, len(devices)))
        used_s = [_send(server, islice(requests, part_count)) for _ in range(PARTS_COUNT)]
    return 1e6 * statistics.median(used_s) / part_count / BATCH_COUNT


async def _fill_journal(directory: Path, devices: Sequence[SchoolDevice]) -> None:
    pattern, received_at = DayPattern(DAY_COUNT, _SEED), sent_on(0)
    journal = Journal(directory / "journal")
    try:
        left = iter(devices)
        while some := list(islice(left, _AT_ONCE)):
            submissions = [device.submission(pattern.batch(device, 0, 1), received_at) for device in some]
            await asyncio.gather(*map(journal.accept, submissions))
        stored_count = journal.counts().stored_count
        assert stored_count == DAY_COUNT * len(devices), f"the journal has {stored_count} readings"
    finally:
        journal.close()


def _send(server: RunningAcceptance, requests: Iterator[bytes]) -> float:
    """Send all, some made at a time; returns the server's processor seconds."""
    used_s = 0.0
    while some := list(islice(requests, _SLICE_COUNT)):
        before_s = cpu_s(server.process)
        asyncio.run(load(server.port, [some[first::CONNECTIONS_COUNT] for first in range(CONNECTIONS_COUNT)]))
        used_s += cpu_s(server.process) - before_s
    return used_s


def fill_store(directory: Path, country: list[SimulatedSchool], days_count: int, schools_days: int) -> None:
    """Put in `schools_days` days of the first 375 schools, of which the last `days_count` are days of all schools."""
    fill(directory, [country[:REGION_COUNT]] * (schools_days - days_count) + [country] * days_count, _SEED)


def ask(directory: Path, country: list[SimulatedSchool], days_count: int, schools_days: int) -> Asked:
    """Ask all questions; meant for a fresh process."""
    until = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) + timedelta(days=schools_days)
    month, last = (Period(until - timedelta(days=days), until) for days in (schools_days, days_count))
    store = open_store(directory, ClosingProcess())
    places = places_of(country, region_of)
    some = [school.id for school in country[:REGION_COUNT]]
    Random(_SEED).shuffle(some)
    asked = some[:_ASKED_COUNT]
    metric = Metric.DOWNLOAD_THROUGHPUT_MBPS
    try:
        days_found = len({trace.at.date() for trace in store.series(asked[0], metric, month)})
        assert days_found == schools_days, f"a school has {days_found} days"
        return Asked(
            school_days_ms=_took_ms(
                [partial(store.series, each, metric, month) for each in asked], _SCHOOLS_ROUNDS_COUNT
            ),
            school_latest_ms=_took_ms([partial(store.latest, [each]) for each in asked], _SCHOOLS_ROUNDS_COUNT),
            table_ms=_took_ms([partial(store.table, metric, last, places)], _COUNTRYS_ROUNDS_COUNT),
            latest_ms=_took_ms([store.latest], _COUNTRYS_ROUNDS_COUNT),
        )
    finally:
        store.close()


def _took_ms(questions: Sequence[Callable[[], object]], rounds_count: int) -> float:
    """Return the least median of the rounds, each of which asks every question once."""
    questions[0]()
    return min(statistics.median(map(_once_ms, questions)) for _ in range(rounds_count))


def _once_ms(question: Callable[[], object]) -> float:
    began_s = time.process_time()
    question()
    return 1e3 * (time.process_time() - began_s)


def _in_own_process(directory: Path, schools_count: int, days_count: int, schools_days: int) -> Asked:
    sizes = ["--schools", str(schools_count), "--days", str(days_count), "--schools-days", str(schools_days)]
    command = [sys.executable, "-m", "tests.bench.cost_curve", "--ask", str(directory), *sizes]
    return msgspec.json.decode(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout, type=Asked)


def main() -> None:
    """Print what acceptance and questions cost at each size, and whether a step grows faster than the data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=REGION_COUNT, help="of the smallest size")
    parser.add_argument("--days", type=int, default=4, help="days that the store has of all schools")
    parser.add_argument("--schools-days", type=int, default=30, help="days that it has of the first 375 of them")
    parser.add_argument("--batches", type=int, default=15_000, help="of ten readings, sent at every size")
    parser.add_argument("--directory", type=Path, help="where the data lie meanwhile; default: a temporary folder")
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask is not None:
        asked_here = ask(given.ask, schools(given.schools, _SEED), given.days, given.schools_days)
        sys.stdout.write(msgspec.json.encode(asked_here).decode())
        return
    sizes = [given.schools * times for times in TIMES]
    print(
        f"{', '.join(f'{size:,}' for size in sizes)} schools with a device each; journals of {DAY_COUNT} readings of "
        f"each; then {given.batches:,} batches of {BATCH_COUNT} over {CONNECTIONS_COUNT} connections; stores of "
        f"{given.schools_days} days, {given.days} of them of all schools. "
        f"{machine('uvicorn', 'uvloop', 'msgspec', 'apsw', 'duckdb', 'pyarrow')}.",
        flush=True,
    )
    accepted_us, asked = [], []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=given.directory) as folder:
            devices = [SchoolDevice(seed, school_id=f"{seed:05d}") for seed in range(size)]
            accepted_us.append(acceptance_us(Path(folder), devices, given.batches))
        with tempfile.TemporaryDirectory(dir=given.directory) as folder:
            fill_store(Path(folder), schools(size, _SEED), given.days, given.schools_days)
            asked.append(_in_own_process(Path(folder), size, given.days, given.schools_days))
        print(f"{size:,} schools: {accepted_us[-1]:.1f} us a reading; {asked[-1]}", file=sys.stderr, flush=True)
    costs = (
        Cost("acceptance of a reading", "CPU-us", FLAT_BOUND, accepted_us),
        Cost(f"one school's {given.schools_days} days", "CPU-ms", FLAT_BOUND, [each.school_days_ms for each in asked]),
        Cost("one school's newest readings", "CPU-ms", FLAT_BOUND, [each.school_latest_ms for each in asked]),
        Cost("the table by regions", "CPU-ms", LINEAR_BOUND, [each.table_ms for each in asked]),
        Cost("all schools' newest readings", "CPU-ms", LINEAR_BOUND, [each.latest_ms for each in asked]),
    )
    print("| cost | " + " | ".join(f"{size:,} schools" for size in sizes) + " |\n|---|--:|--:|--:|")
    for cost in costs:
        cost.tell()
    for cost in costs:
        cost.judge(sizes)


if __name__ == "__main__":
    main()
