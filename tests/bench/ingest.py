"""How many readings the collector accepts in a second of processor time: `python -m tests.bench.ingest`.

A real server process (uvicorn, the route of POST /v1/readings, the journal), a load generator in processes of their
own with batches signed beforehand, real HTTP on 127.0.0.1. Every batch is new; each is gzip, its token and signature
checked, and on disk before it is answered. Processor time is the server process's own, user and system, all threads.
`until queryable` is the same with the embedded store fed beside, until it has taken in everything.
"""

import argparse
import asyncio
import gzip
import hashlib
import multiprocessing
import statistics
import tempfile
import time
import timeit
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from mektep_collector.sla.percentile import percentile
from tests.support.acceptance_load import load, request_of, running_acceptance
from tests.support.acceptance_server import write_devices
from tests.support.conditions import cpu_s, machine, verdict
from tests.support.peers.influxd import DATABASE, influxd_obstacle, lines, running_influxd
from tests.support.school_device import NOON, SchoolDevice

CONNECTION_COUNT = 16
_ACCEPTED, _QUERYABLE, _PEER = "accepted", "until queryable", "influxd /write"
PROMISED = (
    (_ACCEPTED, 500, 4.0),
    (_ACCEPTED, 100, 2.5),
    (_ACCEPTED, 10, 1.0),
    (_QUERYABLE, 500, 1.5),
)
"""Readings a second of processor time, as multiples of what InfluxDB's own /write takes of the same."""
P99_BOUND_MS = 100.0
_LOADS = {500: 1.0, 100: 0.5, 10: 0.2}
"""Readings a batch, and the share of all readings that are sent in such batches."""


class Figure(msgspec.Struct, frozen=True):
    """What one load cost a server."""

    what: str
    readings_count: int
    sent_count: int
    wall_s: float
    cpu_s: float
    rss_mib: float
    took_s: list[float]

    @property
    def per_cpu_s(self) -> float:
        """Return readings a second of processor time."""
        return self.sent_count / self.cpu_s

    def line(self) -> str:
        """Return the line to print."""
        return (
            f"{self.what:16} {self.readings_count:4} a batch: {self.per_cpu_s:9,.0f} readings per CPU-second"
            f"  {self.sent_count / self.wall_s:9,.0f}/s  {self.cpu_s / self.sent_count * 1e6:6.2f} us a reading"
            f"  answer p50 {statistics.median(self.took_s) * 1e3:6.1f} ms"
            f"  p99 {percentile(self.took_s, 0.99) * 1e3:6.1f} ms"
            f"  n={self.sent_count:,} readings in {len(self.took_s):,} batches  RSS {self.rss_mib:.0f} MiB"
        )


def requests_of(device: SchoolDevice, batch_count: int, readings_count: int) -> list[bytes]:
    """Return whole HTTP/1.1 requests, each with readings that were never sent before."""
    requests = []
    for number in range(batch_count):
        first = number * readings_count + 1
        body = device.batch(
            [
                device.reading(seq, NOON - timedelta(minutes=10_000 - seq % 10_000))
                for seq in range(first, first + readings_count)
            ]
        )
        requests.append(request_of(device, body))
    return requests


def influx_requests_of(device: SchoolDevice, batch_count: int, readings_count: int) -> list[bytes]:
    """Return the same readings as requests to InfluxDB."""
    requests = []
    for number in range(batch_count):
        first = number * readings_count + 1
        readings = [
            device.reading(seq, NOON - timedelta(minutes=10_000 - seq % 10_000))
            for seq in range(first, first + readings_count)
        ]
        packed = gzip.compress(lines(readings, device.record.id, device.record.school_id), 6)
        head = f"Host: 127.0.0.1\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n"
        requests.append(f"POST /write?db={DATABASE}&precision=u HTTP/1.1\r\n{head}\r\n".encode() + packed)
    return requests


def _send(port: int, shares: Sequence[Sequence[bytes]]) -> list[float]:
    return asyncio.run(load(port, shares))


def measure(directory: Path, readings_count: int, total_count: int, *, feed: bool) -> Figure:
    """Run one load against a fresh server of ours."""
    devices = _devices()
    write_devices(directory / "devices.json", devices)
    batch_count = _batch_count(total_count, readings_count)
    shares = [requests_of(device, batch_count + 1, readings_count) for device in devices]
    with running_acceptance(directory, *["--feed"] * feed) as server:
        _send(server.port, [share[:1] for share in shares])
        began_cpu_s, began_s = cpu_s(server.process), time.monotonic()
        took_s = _send_all(server.port, shares)
        if feed:
            server.await_fed(CONNECTION_COUNT * (batch_count + 1) * readings_count)
        wall_s, used_s = time.monotonic() - began_s, cpu_s(server.process) - began_cpu_s
        rss_mib = server.process.memory_info().rss / 2**20
    what = _QUERYABLE if feed else _ACCEPTED
    return Figure(
        what, readings_count, CONNECTION_COUNT * batch_count * readings_count, wall_s, used_s, rss_mib, took_s
    )


def measure_influxd(directory: Path, readings_count: int, total_count: int) -> Figure:
    """Run the same load, as line protocol, against a fresh InfluxDB; what it has answered it also answers from."""
    batch_count = _batch_count(total_count, readings_count)
    with running_influxd(directory) as server:
        shares = [influx_requests_of(device, batch_count + 1, readings_count) for device in _devices()]
        _send(server.port, [share[:1] for share in shares])
        began_cpu_s, began_s = cpu_s(server.process), time.monotonic()
        took_s = _send_all(server.port, shares)
        wall_s, used_s = time.monotonic() - began_s, cpu_s(server.process) - began_cpu_s
        rss_mib = server.process.memory_info().rss / 2**20
    sent_count = CONNECTION_COUNT * batch_count * readings_count
    return Figure(_PEER, readings_count, sent_count, wall_s, used_s, rss_mib, took_s)


def _devices() -> list[SchoolDevice]:
    return [SchoolDevice(seed, school_id=f"{seed:05d}") for seed in range(CONNECTION_COUNT)]


def _batch_count(total_count: int, readings_count: int) -> int:
    return max(2, total_count // readings_count // CONNECTION_COUNT)


def _send_all(port: int, shares: Sequence[Sequence[bytes]]) -> list[float]:
    """Send all but each connection's first request from two processes; returns the seconds that each answer took."""
    halves = [shares[0::2], shares[1::2]]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        jobs = [(port, [share[1:] for share in half]) for half in halves]
        return [each for part in pool.starmap(_send, jobs) for each in part]


def conditions() -> str:
    """Return what the figures were measured on."""
    libraries = ("fastapi", "uvicorn", "uvloop", "httptools", "msgspec", "isal", "cryptography", "apsw")
    device = SchoolDevice()
    body = device.batch([device.reading(seq, NOON - timedelta(minutes=seq)) for seq in range(1, 501)])
    return (
        f"{machine(*libraries)}, every commit on disk (synchronous=FULL); "
        f"{CONNECTION_COUNT} connections; {len(body) / 500:.0f} bytes a reading, "
        f"{len(gzip.compress(body, 6)) / 500:.0f} in gzip; one server process; "
        f"one SHA-512 of a MiB takes {_yardstick_ms():.2f} ms, a Python loop {_yardstick_loop_ms():.1f} ms"
    )


def _yardstick_ms() -> float:
    """Return the time of a fixed piece of native work: it tells a slow hour of the machine from a slow server."""
    payload = bytes(2**20)
    return min(timeit.repeat(lambda: hashlib.sha512(payload).digest(), number=1, repeat=20)) * 1e3


def _yardstick_loop_ms() -> float:
    """Return the median time of a fixed piece of Python."""
    return statistics.median(timeit.repeat("for i in range(300000): x = i * i", number=1, repeat=20)) * 1e3


def _verdicts(figures: Sequence[Figure]) -> None:
    """Print what is promised, by the median of the rounds, and whether it is kept."""
    by: dict[tuple[str, int], list[float]] = {}
    for figure in figures:
        by.setdefault((figure.what, figure.readings_count), []).append(figure.per_cpu_s)
    for what, readings_count, bound in PROMISED:
        ours, theirs = by.get((what, readings_count)), by.get((_PEER, readings_count))
        if ours is None or theirs is None:
            continue
        rounds = [own / other for own, other in zip(ours, theirs, strict=True)]
        told = f"{what} at {readings_count} a batch, by processor time, median of {_told(rounds)}"
        verdict(told, statistics.median(rounds), bound, "times influxd's", at_least=True)
    for readings_count in _LOADS:
        p99_ms = [
            1e3 * percentile(figure.took_s, 0.99)
            for figure in figures
            if (figure.what, figure.readings_count) == (_ACCEPTED, readings_count)
        ]
        told = f"p99 of the answer to {readings_count} a batch, median of {_told(p99_ms)}"
        verdict(told, statistics.median(p99_ms), P99_BOUND_MS, "ms")


def _told(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" if value < 10 else f"{value:.0f}" for value in values)


def main() -> None:
    """Print the figures and their conditions, and InfluxDB's on the same readings in the same run where it is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readings", type=int, default=240_000, help="how many readings to send in batches of 500")
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each load is sent, ours and InfluxDB's in turn"
    )
    given = parser.parse_args()
    print(conditions())
    figures: list[Figure] = []

    def told(figure: Figure) -> None:
        figures.append(figure)
        print(figure.line(), flush=True)

    obstacle = influxd_obstacle()
    for readings_count, share in _LOADS.items():
        for _ in range(given.rounds):
            for feed in (False, True):
                with tempfile.TemporaryDirectory() as folder:
                    told(measure(Path(folder), readings_count, int(given.readings * share), feed=feed))
            if obstacle is None:
                with tempfile.TemporaryDirectory() as folder:
                    told(measure_influxd(Path(folder), readings_count, int(given.readings * share)))
    if obstacle is not None:
        print(f"InfluxDB beside it was not measured: {obstacle}")
    _verdicts(figures)


if __name__ == "__main__":
    main()
