"""The processor time that an NDT7 download costs the client: part of `make bench-agent`.

The client runs in a process of its own, and only its time counts, from before the name is resolved to after TCP is
closed, its threads and its share of the kernel included; starting Python is not part of it. Two servers over loopback:

- one that the kernel paces to 100 Mbit/s, as a school's link would: this is what the promise is about. Each wake-up
  of an otherwise idle client is dear, so a slow link costs more a GB than a fast one;
- the project's own measuring server, as fast as both ends can.

Loopback hands over packets of up to 64 kB, as network cards do that put packets together; without that, the kernel's
part is larger, and no client could change it. Ends with 1 where the median at 100 Mbit/s is beyond the promise.
"""

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from mektep_agent.engines.engine import Limits
from mektep_agent.engines.ndt7 import Ndt7Engine
from mektep_agent.statistics.throughput import FullLength, mean_throughput_mbps
from mektep_collector.measure.settings import Ready
from mektep_wire import Direction
from tests.support.hostile_ndt7 import scripted_server, serve_properly
from tests.support.links.measuring import program

MAX_CPU_S_PER_GB = 0.5
RATE_MBPS = 100.0
RUN_TIMEOUT_S = 60.0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the client."""

    throughput_mbps: float
    cpu_s: float
    gigabytes: float

    @property
    def cpu_s_per_gb(self) -> float:
        """Processor seconds a GB (10^9 bytes) of payload."""
        return self.cpu_s / self.gigabytes


def run_client(target: str, direction: Direction) -> None:
    """Measure once in this process and print what it cost."""

    async def measure() -> Cost:
        engine = Ndt7Engine()
        before_s = time.process_time()
        sample = await engine.measure(target, direction, Limits(), FullLength())
        cpu_s = time.process_time() - before_s
        return Cost(
            throughput_mbps=mean_throughput_mbps(sample).value_mbps,
            cpu_s=cpu_s,
            gigabytes=sample.points[-1].total_bytes / 1e9,
        )

    sys.stdout.write(msgspec.json.encode(asyncio.run(measure())).decode())


def costs(target: str, direction: Direction, count: int) -> list[Cost]:
    """Run the client so many times, a process each."""
    words = [sys.executable, "-m", "tests.bench.ndt7_client_cpu", "--client", target, "--direction", direction.value]
    found = []
    for _ in range(count):
        done = subprocess.run(words, check=True, capture_output=True, timeout=RUN_TIMEOUT_S)
        found.append(msgspec.json.decode(done.stdout, type=Cost))
    return found


@contextmanager
def measuring_server() -> Generator[str, None, None]:
    """Run the project's measuring server on a free port of this machine; yield its address."""
    words = ["measure-server", "--bind", "127.0.0.1", "--ndt7-port", "0", "--echo-port", "0", "--metrics-port", "0"]
    with subprocess.Popen([program("mektep-collector"), *words], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            ready = msgspec.json.decode(server.stdout.readline(), type=Ready)
            yield f"ws://127.0.0.1:{ready.ndt7_port}"
        finally:
            server.terminate()


def line(title: str, found: list[Cost]) -> str:
    """Return the runs as a person reads them."""
    each = [cost.cpu_s_per_gb for cost in found]
    return (
        f"  {title:<34} {statistics.median(each):5.2f} CPU-s/GB "
        f"(of {len(each)} runs {min(each):.2f} to {max(each):.2f}) "
        f"at {statistics.median(cost.throughput_mbps for cost in found):8.1f} Mbit/s"
    )


def main(count: int) -> int:
    """Print the figures; return the exit code."""
    with scripted_server(serve_properly(11.0, RATE_MBPS)) as target:
        paced = costs(target, Direction.DOWNLOAD, count)
    with measuring_server() as target:
        down, up = costs(target, Direction.DOWNLOAD, count), costs(target, Direction.UPLOAD, count)
    print(f"NDT7 client over plain ws, 10 s a run (promise: <= {MAX_CPU_S_PER_GB} CPU-s/GB at {RATE_MBPS:g} Mbit/s)")
    print(line(f"download, paced to {RATE_MBPS:g} Mbit/s", paced))
    print(line("download, own server, unlimited", down))
    print(line("upload, own server, unlimited", up))
    print(
        f"  conditions: {platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.2f}, loopback, peer in a process of its own"
    )
    return 0 if statistics.median(cost.cpu_s_per_gb for cost in paced) <= MAX_CPU_S_PER_GB else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=3, help="runs of each kind")
    parser.add_argument("--client", help="be the client: measure this address once")
    parser.add_argument("--direction", type=Direction, choices=list(Direction), default=Direction.DOWNLOAD)
    told = parser.parse_args()
    if told.client:
        run_client(told.client, told.direction)
    else:
        sys.exit(main(told.runs))
