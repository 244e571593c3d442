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
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import apsw
import psutil

from mektep_collector.sla.percentile import percentile
from tests.support.acceptance_server import write_devices
from tests.support.school_device import NOON, SchoolDevice

CONNECTION_COUNT = 16
READINESS_DEADLINE_S = 30.0


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
        packed = gzip.compress(body, 6)
        headers = {**device.headers(packed), "Host": "127.0.0.1", "Content-Length": str(len(packed))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        requests.append(f"POST /v1/readings HTTP/1.1\r\n{head}\r\n".encode() + packed)
    return requests


async def _converse(port: int, requests: Sequence[bytes]) -> list[float]:
    """Send requests one after another over one connection; returns the seconds that each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    took_s = []
    for request in requests:
        began_s = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(head.decode())
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answer = await reader.readexactly(length)
        took_s.append(time.perf_counter() - began_s)
        if answer.count(b'"stored"') == 0 or b'"rejected"' in answer:
            raise RuntimeError(answer[:300].decode())
    writer.close()
    await writer.wait_closed()
    return took_s


async def _load(port: int, shares: Sequence[Sequence[bytes]]) -> list[float]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_converse(port, share)) for share in shares]
    return [each for task in tasks for each in task.result()]


def _send(port: int, shares: Sequence[Sequence[bytes]]) -> list[float]:
    return asyncio.run(_load(port, shares))


def _await_port(directory: Path, process: subprocess.Popen[bytes]) -> int:
    deadline_s = time.monotonic() + READINESS_DEADLINE_S
    while not (directory / "port").exists():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise RuntimeError("the server did not begin to listen")
        time.sleep(0.05)
    return int((directory / "port").read_text("utf-8"))


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(directory: Path, readings_count: int, total_count: int, *, feed: bool) -> str:
    """Run one load against a fresh server; returns the line to print."""
    devices = [SchoolDevice(seed, school_id=f"{seed:05d}") for seed in range(CONNECTION_COUNT)]
    write_devices(directory / "devices.json", devices)
    batch_count = max(2, total_count // readings_count // CONNECTION_COUNT)
    shares = [requests_of(device, batch_count + 1, readings_count) for device in devices]
    command = [sys.executable, "-m", "tests.support.acceptance_server", str(directory), str(directory / "devices.json")]
    process = subprocess.Popen(command + ["--feed"] * feed)
    try:
        port = _await_port(directory, process)
        server = psutil.Process(process.pid)
        _send(port, [share[:1] for share in shares])
        began_cpu_s, began_s = _cpu_s(server), time.monotonic()
        halves = [shares[0::2], shares[1::2]]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            jobs = [(port, [share[1:] for share in half]) for half in halves]
            took_s = [each for part in pool.starmap(_send, jobs) for each in part]
        if feed:
            _await_fed(directory, CONNECTION_COUNT * (batch_count + 1) * readings_count)
        wall_s, cpu_s = time.monotonic() - began_s, _cpu_s(server) - began_cpu_s
        rss_mib = server.memory_info().rss / 2**20
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    sent_count = CONNECTION_COUNT * batch_count * readings_count
    what = "until queryable" if feed else "accepted"
    return (
        f"{what:16} {readings_count:4} a batch: {sent_count / cpu_s:9,.0f} readings per CPU-second"
        f"  {sent_count / wall_s:9,.0f}/s  {cpu_s / sent_count * 1e6:6.2f} us a reading"
        f"  answer p50 {statistics.median(took_s) * 1e3:6.1f} ms  p99 {percentile(took_s, 0.99) * 1e3:6.1f} ms"
        f"  n={sent_count:,} readings in {len(took_s):,} batches  RSS {rss_mib:.0f} MiB"
    )


def _await_fed(directory: Path, count: int) -> None:
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s:
        connection = apsw.Connection(str(directory / "store" / "recent.sqlite"), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            if connection.execute("SELECT reading_count FROM progress").get == count:
                return
        finally:
            connection.close()
        time.sleep(0.1)
    raise RuntimeError("the store did not catch up")


def conditions() -> str:
    """Return what the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), platform.machine())
    names = ("fastapi", "uvicorn", "uvloop", "httptools", "msgspec", "isal", "cryptography", "apsw")
    libraries = ", ".join(f"{name} {version(name)}" for name in names)
    device = SchoolDevice()
    body = device.batch([device.reading(seq, NOON - timedelta(minutes=seq)) for seq in range(1, 501)])
    return (
        f"{model}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the start; "
        f"{platform.system()} {platform.release()}; Python {platform.python_version()}; {libraries}; "
        f"SQLite {apsw.sqlite_lib_version()}, every commit on disk (synchronous=FULL); "
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


def main() -> None:
    """Print the figures and their conditions."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--readings", type=int, default=240_000, help="how many readings to send in batches of 500")
    total_count = parser.parse_args().readings
    print(conditions())
    for readings_count, share, feed in ((500, 1.0, False), (100, 0.5, False), (10, 0.1, False), (500, 0.5, True)):
        with tempfile.TemporaryDirectory() as folder:
            print(measure(Path(folder), readings_count, int(total_count * share), feed=feed), flush=True)


if __name__ == "__main__":
    main()
