"""A country comes back at once: `python -m tests.bench.catch_up`.

Every computer of a simulated fleet has been cut off for some school days and delivers all at the same moment, each
over a connection of its own, to the real `mektep-collector serve`, while readers ask for pages. Counted afterwards in
the journal and in the store: nothing lost, nothing twice.

The computers are one process and the readers another, so that no reader waits for a computer's own work.
"""

import argparse
import asyncio
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final

import httpx
import msgspec
import psutil

from mektep_collector.jobs.memory import settle_memory
from mektep_collector.registry.registry import open_registry
from mektep_collector.simulate.batch import SignedBody, bodies
from mektep_collector.simulate.day import LOCAL
from mektep_collector.simulate.delivery import Sender, Tally, deliver
from mektep_collector.simulate.enrolment import enrol
from mektep_collector.simulate.fleet import fleet
from tests.support.conditions import verdict
from tests.support.journal_keys import journalled
from tests.support.running_collector import RunningCollector, running_collector
from tests.support.school_days import days_before

PAGES_BOUND_MS: Final = 500.0
_ALLOWED: Final = {200, 429}
_PAUSE_S: Final = 0.25
_SETTLED_S: Final = 600.0
_REST_S: Final = 10.0
_PAGES: Final = ("/", "/?region=KZ-61&sort=download", "/schools/simulated-1", "/schools/simulated-17")


class Backlog(msgspec.Struct):
    """What waits at the schools: each device's token and batches, and how many readings that is."""

    senders: list[Sender]
    readings_count: int


class Caught(msgspec.Struct, frozen=True, kw_only=True):
    """How a country came back. Times of pages by address, in milliseconds; `feeding_s` until all is in the store.

    `rest_ms` are times of the same pages for the same readers afterwards, when nobody delivers.
    """

    readings_count: int
    tally: Tally
    delivery_s: float
    feeding_s: float
    pages_ms: dict[str, list[float]]
    rest_ms: list[float]
    pages_failed: Counter[int]
    journal_count: int
    journal_distinct_count: int
    store_count: int
    peak_mb: float
    connections_count: int


def made_backlog(data_dir: Path, schools_count: int, days_count: int, seed: int) -> Backlog:
    """Enrol a fleet and return what it has to say of so many school days."""
    now = datetime.now(UTC)
    first = days_before((now + LOCAL).date(), days_count)
    span_count = ((now + LOCAL).date() - first).days
    registry = open_registry(data_dir)
    try:
        devices = list(enrol(registry, fleet(schools_count, seed), first, span_count, now, _say("schools")))
    finally:
        registry.close()
    senders: list[Sender] = []
    readings_count = 0
    for device in devices:
        own: list[SignedBody] = list(bodies(device, now))
        readings_count += sum(body.readings_count for body in own)
        senders.append(Sender(device.token, own))
    return Backlog(senders, readings_count)


def measure(collector: RunningCollector, backlog: Backlog, connections_count: int, seed: int) -> Caught:
    """Let all devices deliver at once, look at pages meanwhile, and count what has come."""
    process = psutil.Process(collector.process.pid)
    over = threading.Event()
    pages_ms: dict[str, list[float]] = {path: [] for path in _PAGES}
    failed: Counter[int] = Counter()
    peaks: list[float] = []
    readers = _readers(collector.url, pages_ms, failed, over)
    watcher = threading.Thread(target=_watch, args=(process, peaks, over))
    computers = multiprocessing.get_context("fork")  # they have the backlog, and no thread has begun yet
    with ProcessPoolExecutor(1, mp_context=computers, initializer=_remember, initargs=(backlog,)) as apart:
        began_s = time.monotonic()
        delivering = apart.submit(_deliver, collector.url, connections_count, seed)
        for thread in (*readers, watcher):
            thread.start()
        try:
            tally = delivering.result()
            delivery_s = time.monotonic() - began_s
            _await_store(collector, backlog.readings_count)
            feeding_s = time.monotonic() - began_s
        finally:
            over.set()
            for thread in (*readers, watcher):
                thread.join()
    rest_ms: dict[str, list[float]] = {path: [] for path in _PAGES}
    over = threading.Event()
    for thread in (readers := _readers(collector.url, rest_ms, failed, over)):
        thread.start()
    time.sleep(_REST_S)
    over.set()
    for thread in readers:
        thread.join()
    store_count = round(collector.metric("mektep_store_readings"))
    collector.end()
    found = journalled(collector.data_dir)
    return Caught(
        readings_count=backlog.readings_count,
        tally=tally,
        delivery_s=delivery_s,
        feeding_s=feeding_s,
        pages_ms=pages_ms,
        rest_ms=[each for took_ms in rest_ms.values() for each in took_ms],
        pages_failed=failed,
        journal_count=found.total(),
        journal_distinct_count=len(found),
        store_count=store_count,
        peak_mb=max(peaks),
        connections_count=connections_count,
    )


_backlog: Backlog


def _remember(backlog: Backlog) -> None:
    global _backlog
    _backlog = backlog
    settle_memory()  # or the process looks at the whole backlog again and again while thousands connect


def _deliver(url: str, connections_count: int, seed: int) -> Tally:
    return asyncio.run(deliver(url, _backlog.senders, connections_count, Random(seed), lambda _tally: None))


def _readers(
    url: str, took_ms: dict[str, list[float]], failed: Counter[int], over: threading.Event
) -> list[threading.Thread]:
    return [threading.Thread(target=_read, args=(url, path, took_ms[path], failed, over)) for path in _PAGES]


def _read(url: str, path: str, took_ms: list[float], failed: Counter[int], over: threading.Event) -> None:
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as browser:
        while not over.is_set():
            began_s = time.monotonic()
            status = browser.get(path).status_code
            took_ms.append(1e3 * (time.monotonic() - began_s))
            if status != 200:
                failed[status] += 1
            over.wait(_PAUSE_S)


def _watch(process: psutil.Process, peaks: list[float], over: threading.Event) -> None:
    while not over.is_set():
        peaks.append(process.memory_info().rss / 1e6)
        over.wait(_PAUSE_S)


def _await_store(collector: RunningCollector, readings_count: int) -> None:
    deadline_s = time.monotonic() + _SETTLED_S
    while collector.metric("mektep_store_readings") < readings_count:
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"the store did not take in {readings_count} readings within {_SETTLED_S:.0f} s")
        time.sleep(0.1)


def percentile_ms(took_ms: list[float], ratio: float) -> float:
    """Return an order statistic by linear interpolation."""
    if len(took_ms) < 2:
        return took_ms[0] if took_ms else float("nan")
    return statistics.quantiles(took_ms, n=100, method="inclusive")[round(100 * ratio) - 1]


def _say(what: str) -> Callable[[int, int], None]:
    def told(done: int, whole: int) -> None:
        if sys.stderr.isatty():
            print(f"\r  {what} {done}/{whole}", end="", file=sys.stderr, flush=True)

    return told


def main() -> None:
    """Print how a country comes back, each figure with its bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=7_500)
    parser.add_argument("--days", type=int, default=3, help="school days of backlog")
    parser.add_argument("--connections", type=int, default=0, help="default: one a school")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        backlog = made_backlog(data_dir, given.schools, given.days, given.seed)
        print(
            f"{given.schools} simulated schools x {given.days} school days, seed {given.seed}: "
            f"{backlog.readings_count:,} readings of {len(backlog.senders)} computers. {platform.system()} "
            f"{platform.release()}, {len(os.sched_getaffinity(0))} processors for all of it, load "
            f"{'/'.join(f'{each:.2f}' for each in os.getloadavg())}, Python {platform.python_version()}.",
            flush=True,
        )
        with running_collector(data_dir, "--no-measure") as collector:
            caught = measure(collector, backlog, given.connections or given.schools, given.seed)
    tally = caught.tally
    print(
        f"All in after {caught.delivery_s:.1f} s over {caught.connections_count} connections "
        f"({caught.readings_count / caught.delivery_s:,.0f} readings a second, the clients' own work among it), in the "
        f"store after {caught.feeding_s:.1f} s; answers by status {dict(sorted(tally.answers.items()))}; the collector "
        f"at most {caught.peak_mb:.0f} MB."
    )
    for path, took_ms in caught.pages_ms.items():
        print(
            f"  {path}: p50 {percentile_ms(took_ms, 0.5):.0f} ms, p95 {percentile_ms(took_ms, 0.95):.0f} ms, worst "
            f"{max(took_ms):.0f} ms (n = {len(took_ms)})"
        )
    print(
        f"  all of them afterwards, when nobody delivers: p50 {percentile_ms(caught.rest_ms, 0.5):.0f} ms, "
        f"p95 {percentile_ms(caught.rest_ms, 0.95):.0f} ms (n = {len(caught.rest_ms)})"
    )
    others = sum(count for status, count in tally.answers.items() if status not in _ALLOWED)
    lost = caught.readings_count - min(caught.journal_distinct_count, caught.store_count)
    twice = max(caught.journal_count, caught.store_count) - caught.journal_distinct_count
    verdict("answers other than 200 and 429", others, 0, "answers")
    verdict("told to wait, not for how long", tally.untold_count, 0, "answers")
    verdict("readings lost", lost, 0, "readings")
    verdict("readings twice", twice, 0, "readings")
    verdict("pages that failed", caught.pages_failed.total(), 0, "pages")
    everything = [each for took_ms in caught.pages_ms.values() for each in took_ms]
    verdict("p95 of pages meanwhile", percentile_ms(everything, 0.95), PAGES_BOUND_MS, "ms")
    for path, took_ms in caught.pages_ms.items():
        verdict(f"p95 of {path}", percentile_ms(took_ms, 0.95), PAGES_BOUND_MS, "ms")


if __name__ == "__main__":
    main()
