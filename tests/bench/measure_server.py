"""What a test costs the measuring server, and what it costs those who measure beside it.

`python -m tests.bench.measure_server` starts the server as a process of its own, runs downloads and uploads over
loopback as fast as they go, over `ws` and `wss`, and prints the server's processor seconds a gigabyte, what that is
of a core at 1 Gbit/s, its memory, and the round-trip time of the UDP echo while several downloads run at full rate.
"""

import os
import platform
import random
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from mektep_collector.measure.settings import Ready
from mektep_wire.echo import ECHO_MAGIC
from tests.support.certificate import CertificateFiles, make_certificate
from tests.support.raw_websocket import BINARY, DOWNLOAD, UPLOAD, RawClient, frame

_SECONDS = 4.0
_ECHO_COUNT = 200
_ECHO_SPACING_S = 0.02
_ONE_GBIT_GB_PER_S = 0.125


@contextmanager
def _server(files: CertificateFiles) -> Generator[tuple[psutil.Process, Ready], None, None]:
    program = str(Path(sys.executable).with_name("mektep-collector"))
    free = [
        "--bind",
        "127.0.0.1",
        "--ndt7-port",
        "0",
        "--echo-port",
        "0",
        "--ndt7-tls-port",
        "0",
        "--metrics-port",
        "0",
    ]
    tls = ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
    process = subprocess.Popen([program, "measure-server", *free, *tls], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield psutil.Process(process.pid), msgspec.json.decode(process.stdout.readline(), type=Ready)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _download(client: RawClient) -> int:
    """Receive without looking until the time is over; return the bytes."""
    buffer = memoryview(bytearray(1 << 20))
    flags = 0 if isinstance(client.socket, ssl.SSLSocket) else getattr(socket, "MSG_TRUNC", 0)
    client.open(DOWNLOAD)
    until_s = time.monotonic() + _SECONDS
    received_bytes = 0
    while time.monotonic() < until_s:
        received_bytes += client.socket.recv_into(buffer, len(buffer), flags)
    return received_bytes


def _upload(client: RawClient) -> int:
    """Send one frame again and again until the time is over; return the bytes."""
    load = frame(BINARY, random.Random(1).randbytes(1 << 20))
    client.open(UPLOAD)
    until_s = time.monotonic() + _SECONDS
    sent_bytes = 0
    while time.monotonic() < until_s:
        client.send(load)
        sent_bytes += len(load)
    return sent_bytes


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _together(count: int, connect: Callable[[], RawClient], transfer: Callable[[RawClient], int]) -> int:
    """Run `count` transfers at once; return the bytes of all."""
    moved: list[int] = []

    def one() -> None:
        with connect() as client:
            moved.append(transfer(client))

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(moved)


def _echo_ms(port: int) -> list[float]:
    """Return the round-trip times of probes at a steady pace; a lost one is left out."""
    found: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.5)
        client.connect(("127.0.0.1", port))
        for number in range(_ECHO_COUNT):
            probe = ECHO_MAGIC + number.to_bytes(24, "big")
            began_s = time.perf_counter()
            client.send(probe)
            try:
                while client.recv(2_000) != probe:
                    pass
                found.append((time.perf_counter() - began_s) * 1e3)
            except TimeoutError:
                continue
            time.sleep(_ECHO_SPACING_S)
    return found


def _echo_line(title: str, rtt_ms: list[float]) -> str:
    cuts = statistics.quantiles(rtt_ms, n=100)
    return (
        f"echo {title:<24} median {statistics.median(rtt_ms):.3f} ms  p95 {cuts[94]:.3f} ms  p99 {cuts[98]:.3f} ms  "
        f"most {max(rtt_ms):.3f} ms  answered {len(rtt_ms)} of {_ECHO_COUNT}"
    )


def main() -> None:
    """Print the figures with their conditions."""
    print(
        f"conditions: {platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, loopback, {_SECONDS:.0f} s a test"
    )
    with tempfile.TemporaryDirectory() as folder, _server(make_certificate(Path(folder))) as (process, ready):
        files = Path(folder) / "certificate.pem"
        trust = ssl.create_default_context(cafile=str(files))
        print(f"congestion control: {ready.congestion_control}")

        def plain() -> RawClient:
            return RawClient(ready.ndt7_port)

        def secure() -> RawClient:
            return RawClient(int(ready.ndt7_tls_port or 0), tls=trust)

        cases: list[tuple[str, int, Callable[[], RawClient], Callable[[RawClient], int]]] = [
            ("download ws", 1, plain, _download),
            ("download ws", 8, plain, _download),
            ("download wss", 1, secure, _download),
            ("upload ws", 1, plain, _upload),
            ("upload wss", 1, secure, _upload),
        ]
        for title, count, connect, transfer in cases:
            before_s = _cpu_s(process)
            moved_gb = _together(count, connect, transfer) / 1e9
            cpu_s_per_gb = (_cpu_s(process) - before_s) / moved_gb
            share = cpu_s_per_gb * _ONE_GBIT_GB_PER_S
            print(
                f"{title:<13} x{count}: {cpu_s_per_gb:.3f} CPU-s/GB = {share:.1%} of a core at 1 Gbit/s  "
                f"({moved_gb * 8 / _SECONDS:.1f} Gbit/s)  resident {process.memory_info().rss / 1e6:.0f} MB"
            )
        print(_echo_line("at rest", _echo_ms(ready.echo_port)))
        for count in (1, 2, 8):
            loading = threading.Thread(target=_together, args=(count, plain, _download))
            loading.start()
            print(_echo_line(f"beside {count} full downloads", _echo_ms(ready.echo_port)))
            loading.join()


if __name__ == "__main__":
    main()
