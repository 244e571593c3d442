"""The embedded store at a country's size: `python -m tests.bench.store`.

Simulated school days go in through the store's own seam (`put`, 32 entries a time), each day is closed by the closing
process while the next one is fed, and the questions are asked by processes of their own afterwards, the first time
with the system's file cache dropped where this program may do that (root). Three sizes tell the slope.

The smallest of them goes into InfluxDB 1.8.10 as well, where that is built, and is asked for the same.
"""

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

import apsw
import duckdb
import msgspec
import psutil
import pyarrow

from mektep_collector.config.retention import FOR_EVER, Retention
from mektep_collector.store.embedded import ClosingProcess, EmbeddedStore
from mektep_collector.store.influx import Address, InfluxStore
from mektep_collector.store.store import Period
from mektep_collector.store.table import Placement
from mektep_wire import Metric
from tests.support.conditions import verdict
from tests.support.country_days import BATCHES_A_DAY, READINGS_A_BATCH, SimulatedSchool, entries, schools
from tests.support.peers.influxd import free_port, influxd_obstacle, running_influxd

FIRST_DAY: Final = date(2026, 1, 5)
SHARES: Final = (0.1, 0.32, 1.0)
ENTRIES_AT_ONCE: Final = 32
ASKED_SCHOOLS_COUNT: Final = 50
TABLE_BOUND_S: Final = 5.0
TABLE_BOUND_MB: Final = 1_000.0
SCHOOL_BOUND_MS: Final = 20.0
INFLUXDB_TABLE_BOUND_S: Final = 60.0
INFLUXDB_SCHOOL_BOUND_MS: Final = 200.0


class Filled(msgspec.Struct, frozen=True):
    """What it took to fill a store."""

    readings_count: int
    feeding_cpu_s: float
    wall_s: float
    size_bytes: int


class Asked(msgspec.Struct, frozen=True):
    """What the questions took: seconds cold, memory at most, and one school's 30 days."""

    table_s: float
    peak_mb: float
    cells_count: int
    values_count: int
    school_median_ms: float
    school_worst_ms: float


class Measured(msgspec.Struct, frozen=True):
    """An InfluxDB, with the processor time that its own program took to be filled."""

    filled: Filled
    asked: Asked
    server_cpu_s: float


def fill(directory: Path, days: Sequence[list[SimulatedSchool]], seed: int) -> Filled:
    """Put in a day for each of `days`, which are the schools that have it, and close each."""
    closer = ClosingProcess()
    store = open_store(directory, closer)
    began_s, feeding_cpu_s = time.monotonic(), 0.0
    with ThreadPoolExecutor(1) as pool:
        closings = []
        for number, country in enumerate(days):
            day = FIRST_DAY + timedelta(days=number)
            made = entries(country, day, number, seed)
            while some := list(islice(made, ENTRIES_AT_ONCE)):
                before_s = time.thread_time()
                store.put(some)
                feeding_cpu_s += time.thread_time() - before_s
            closings.append(pool.submit(store.close_day, day))
            if number:
                closings[number - 1].result()
            if sys.stderr.isatty():
                print(f"\r  {number + 1}/{len(days)} days", end="", file=sys.stderr, flush=True)
        closings[-1].result()
    wall_s = time.monotonic() - began_s
    readings_count = store.count()
    store.close()
    return Filled(readings_count, feeding_cpu_s, wall_s, _size_bytes(directory))


def ask(directory: Path, country: list[SimulatedSchool], days_count: int, seed: int) -> Asked:
    """Ask for the tables by region and by provider, and for one school's days; meant for a fresh process."""
    store = open_store(directory, ClosingProcess())
    asked = _asked(store, country, days_count, seed, None)
    store.close()
    return asked


def _asked(
    store: EmbeddedStore | InfluxStore,
    country: list[SimulatedSchool],
    days_count: int,
    seed: int,
    server: psutil.Process | None,
) -> Asked:
    period = _period(days_count)
    began_s = time.monotonic()
    cells_count = values_count = 0
    for cell_of in (region_of, _provider_of):
        rows = store.table(Metric.DOWNLOAD_THROUGHPUT_MBPS, period, places_of(country, cell_of))
        cells_count += len(rows)
        values_count += sum(row.ok_count for row in rows)
    table_s = time.monotonic() - began_s
    took_ms = []
    last = Period(period.until - timedelta(days=min(30, days_count)), period.until)
    for school in Random(seed).sample(country, min(ASKED_SCHOOLS_COUNT, len(country))):
        began_s = time.monotonic()
        if not store.series(school.id, Metric.DOWNLOAD_THROUGHPUT_MBPS, last):
            raise RuntimeError(f"school {school.id} has no readings")
        took_ms.append(1e3 * (time.monotonic() - began_s))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    if server is not None:
        peak_mb = server.memory_info().rss / 1e6
    return Asked(table_s, peak_mb, cells_count, values_count, statistics.median(took_ms), max(took_ms))


def measure_influxdb(directory: Path, country: list[SimulatedSchool], days_count: int, seed: int) -> Measured:
    """Fill an InfluxDB, start it anew, and ask it for the same tables and school's days."""
    directory.mkdir()
    port = free_port()
    address = Address(f"http://127.0.0.1:{port}", "mektep")
    began_s, server_cpu_s = time.monotonic(), 0.0
    before_s = time.process_time()
    with running_influxd(directory, port=port) as server:
        store = InfluxStore(address, directory, lambda _school_id: ZoneInfo("Asia/Almaty"))
        for number in range(days_count):
            made = entries(country, FIRST_DAY + timedelta(days=number), number, seed)
            while some := list(islice(made, ENTRIES_AT_ONCE)):
                store.put(some)
        readings_count = store.count()
        store.close()
        times = server.process.cpu_times()
        server_cpu_s = times.user + times.system
    filled = Filled(readings_count, time.process_time() - before_s, time.monotonic() - began_s, _size_bytes(directory))
    _drop_cache()
    with running_influxd(directory, port=port) as server:
        store = InfluxStore(address, directory, lambda _school_id: ZoneInfo("Asia/Almaty"))
        asked = _asked(store, country, days_count, seed, psutil.Process(server.process.pid))
        store.close()
    return Measured(filled, asked, server_cpu_s)


def _size_bytes(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def open_store(directory: Path, closer: ClosingProcess, retention: Retention = FOR_EVER) -> EmbeddedStore:
    return EmbeddedStore(directory, lambda _school_id: ZoneInfo("Asia/Almaty"), closer, retention)


def _period(days_count: int) -> Period:
    since = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC)
    return Period(since, since + timedelta(days=days_count))


def places_of(country: Sequence[SimulatedSchool], cell_of: object) -> Mapping[str, Placement]:
    assert callable(cell_of)
    return {school.id: Placement(cell_of(school), school.enough_mbps) for school in country}


def region_of(school: SimulatedSchool) -> str:
    return school.region


def _provider_of(school: SimulatedSchool) -> str:
    return school.provider


def _drop_cache() -> bool:
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3", "ascii")
    except OSError:
        return False
    return True


def _in_own_process(directory: Path, schools_count: int, days_count: int, seed: int) -> Asked:
    command = [sys.executable, "-m", "tests.bench.store", "--ask", str(directory)]
    sizes = ["--schools", str(schools_count), "--days", str(days_count), "--seed", str(seed)]
    done = subprocess.run([*command, *sizes], capture_output=True, check=True)
    return msgspec.json.decode(done.stdout, type=Asked)


def _influxdb(directory: Path, schools_count: int, days_count: int, seed: int, ours: Filled) -> Measured | None:
    """Measure InfluxDB at the smallest size, and say how it went; None where it is not built."""
    obstacle = influxd_obstacle()
    if obstacle is not None:
        print(f"InfluxDB: not measured, {obstacle}.")
        return None
    count = round(schools_count * SHARES[0])
    found = measure_influxdb(directory, schools(count, seed), days_count, seed)
    filled, asked = found.filled, found.asked
    print(
        f"InfluxDB 1.8.10, {count} schools, {filled.readings_count:,} readings: "
        f"{filled.size_bytes / filled.readings_count:.0f} bytes a reading where the embedded store has "
        f"{ours.size_bytes / ours.readings_count:.0f}; put at "
        f"{filled.readings_count / (filled.feeding_cpu_s + found.server_cpu_s):,.0f} a CPU-second of both programs, "
        f"in {filled.wall_s:.0f} s; two tables cold in {asked.table_s:.1f} s, its program then {asked.peak_mb:.0f} MB; "
        f"30 days of one school {asked.school_median_ms:.1f} ms (worst {asked.school_worst_ms:.1f})."
    )
    return found


def _in_short(directory: Path) -> None:
    """Keep one day of a filled store in short, and print what that leaves of it."""
    names = {path.name: path.stat().st_size for path in (directory / "days").glob("*.parquet")}
    store = open_store(directory, ClosingProcess(), Retention(readings_days=1))
    store.thin_out(datetime.combine(FIRST_DAY + timedelta(days=2), datetime.min.time(), UTC))
    store.close()
    first = FIRST_DAY.isoformat()
    whole = next(size for name, size in names.items() if name.startswith(first))
    short = next(path.stat().st_size for path in (directory / "days").glob(f"{first}.*.parquet"))
    print(f"A day's file takes {whole:,} bytes whole and {short:,} in short ({short / whole:.0%}).")


def _slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the least-squares slope."""
    return statistics.linear_regression(sizes, values).slope


def main() -> None:
    """Fill three sizes, ask each, print figures, bounds and what follows for larger ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=7_500)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, help="where the stores are made; default: a temporary folder")
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask is not None:
        asked = ask(given.ask, schools(given.schools, given.seed), given.days, given.seed)
        sys.stdout.write(msgspec.json.encode(asked).decode())
        return
    print(
        f"Simulated country: {given.schools} schools x {given.days} days x {BATCHES_A_DAY * READINGS_A_BATCH} readings "
        f"in {BATCHES_A_DAY} batches a school day, seed {given.seed}. {platform.system()} {platform.release()}, "
        f"{psutil.cpu_count()} processors, load {'/'.join(f'{each:.2f}' for each in os.getloadavg())}; "
        f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}, pyarrow {pyarrow.__version__}, "
        f"DuckDB {duckdb.__version__}."
    )
    print("| schools | readings | bytes a reading | readings put a CPU-second | wall s | tables cold s | peak MB | "
          "30 days of one school, median ms (worst) |\n|--:|--:|--:|--:|--:|--:|--:|--:|")  # fmt: skip
    rows: list[tuple[Filled, Asked]] = []
    is_cold = True
    with tempfile.TemporaryDirectory(dir=given.directory) as temporary:
        for share in SHARES:
            count = round(given.schools * share)
            directory = Path(temporary) / str(count)
            filled = fill(directory, [schools(count, given.seed)] * given.days, given.seed)
            is_cold = _drop_cache() and is_cold
            asked = _in_own_process(directory, count, given.days, given.seed)
            rows.append((filled, asked))
            print(
                f"| {count} | {filled.readings_count:,} | {filled.size_bytes / filled.readings_count:.1f} "
                f"| {filled.readings_count / filled.feeding_cpu_s:,.0f} | {filled.wall_s:.0f} | {asked.table_s:.2f} "
                f"| {asked.peak_mb:.0f} | {asked.school_median_ms:.1f} ({asked.school_worst_ms:.1f}) |",
                flush=True,
            )
        _in_short(directory)
        influxdb = _influxdb(Path(temporary) / "influxdb", given.schools, given.days, given.seed, rows[0][0])
    filled, asked = rows[-1]
    print(
        f"Tables: {asked.cells_count} cells by region and by provider (median, p10, p90, share that is enough, "
        f"availability) over {asked.values_count // 2:,} downloads; "
        f"file cache dropped before: {'yes' if is_cold else 'no'}."
    )
    verdict("national tables, cold", asked.table_s, TABLE_BOUND_S, "s")
    verdict("memory of the asking process", asked.peak_mb, TABLE_BOUND_MB, "MB")
    verdict("one school's 30 days, median", asked.school_median_ms, SCHOOL_BOUND_MS, "ms")
    if influxdb is not None:
        times = rows[-1][0].readings_count / influxdb.filled.readings_count
        verdict(f"a national table from InfluxDB, {times:.1f} times what it took there",
                 influxdb.asked.table_s / 2 * times, INFLUXDB_TABLE_BOUND_S, "s")  # fmt: skip
        verdict("one school's 30 days from InfluxDB, median", influxdb.asked.school_median_ms,
                 INFLUXDB_SCHOOL_BOUND_MS, "ms")  # fmt: skip
    counts = [each.readings_count for each, _ in rows]
    table_slope = _slope(counts, [each.table_s for _, each in rows])
    memory_slope = _slope(counts, [each.peak_mb for _, each in rows])
    size_slope = _slope(counts, [each.size_bytes for each, _ in rows])
    for name, times in (("a year", 365 / given.days), ("ten times the schools", 10.0)):
        more = counts[-1] * (times - 1)
        print(
            f"From the slope of the three sizes, not measured: {name} would take "
            f"{asked.table_s + more * table_slope:.1f} s, {asked.peak_mb + more * memory_slope:.0f} MB "
            f"and {(filled.size_bytes + more * size_slope) / 1e9:.1f} GB on disk."
        )


if __name__ == "__main__":
    main()
