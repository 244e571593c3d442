"""What a test at 300 Mbit/s costs a computer: our client beside M-Lab's for JavaScript and speedtest-cli, same link.

`make bench-clients` (root). Whole programs, from their start to their end, both directions, each in a process of its
own: processor seconds for a GB that crossed the link, and the peak of resident memory, which is never told below the
22 MB of the process that starts the client. One after the other over one link of 300 Mbit/s and 10 ms, so many times;
the figures are medians. A client that is not there, or fails, is a row that says so; the end is then 1.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable

import msgspec

from tests.bench.grid.peers import reason
from tests.support.links import Laboratory, laboratory, obstacle, symmetric
from tests.support.links.measuring import measuring_server, program
from tests.support.mlab_ndt7 import client as mlab
from tests.support.peers import speedtest_cli
from tests.support.peers.alone import alone
from tests.support.peers.result import PeerMissingError

RATE_MBPS, RTT_MS = 300.0, 10.0
TIMEOUT_S = 90.0
FAILED, UNAVAILABLE = 1, 2


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one client."""

    cpu_s: float
    rss_bytes: int
    link_bytes: int

    @property
    def cpu_s_per_gb(self) -> float:
        """Processor seconds for 10^9 bytes that crossed the link, both ways together."""
        return self.cpu_s / (self.link_bytes / 1e9)


def measured(lab: Laboratory, run: Callable[[], tuple[float, int]]) -> Cost:
    """Run a client and count what crossed meanwhile."""
    before = lab.counters()
    cpu_s, rss_bytes = run()
    after = lab.counters()
    crossed = (after.down.delivered_bytes - before.down.delivered_bytes) + (
        after.up.delivered_bytes - before.up.delivered_bytes
    )
    return Cost(cpu_s=cpu_s, rss_bytes=rss_bytes, link_bytes=crossed)


def clients(lab: Laboratory, server: str) -> dict[str, Callable[[], tuple[float, int]]]:
    """Return each client by name, ready to run; running one raises PeerMissingError where it is not installed."""
    agent = [program("mektep-agent"), "measure", "--json", "--server", server]

    def of(words: list[str]) -> tuple[float, int]:
        ran = alone(lab.school, words, TIMEOUT_S)
        return ran.cpu_s, ran.rss_bytes

    def speedtest() -> tuple[float, int]:
        ran = speedtest_cli.run(lab.school, server.replace("ws://", "http://"))
        return ran.cpu_s, ran.rss_bytes

    return {
        "ours, full length": lambda: of([*agent, "--full"]),
        "ours, frugal": lambda: of(agent),
        "M-Lab's NDT7 (JavaScript)": lambda: of(mlab.command(server.removeprefix("ws://"))),
        "speedtest-cli": speedtest,
    }


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    if (missing := obstacle()) is not None:
        sys.stderr.write(f"no link of known rate: {missing}\n")
        return UNAVAILABLE
    print(f"{RATE_MBPS:g} Mbit/s, {RTT_MS:g} ms, both directions, whole programs, medians of {given.runs} runs")
    print("| client | CPU-s/GB | CPU-s a test | peak RSS MB | MB over the link |\n|---|--:|--:|--:|--:|")
    code = 0
    with laboratory(symmetric(RATE_MBPS, RTT_MS)) as lab, measuring_server(lab.server) as server:
        for name, run in clients(lab, server).items():
            try:
                costs = [measured(lab, run) for _ in range(given.runs)]
            except (PeerMissingError, mlab.PeerMissingError, subprocess.SubprocessError) as error:
                code = FAILED
                print(f"| {name} | failed: {reason(error)} | | | |", flush=True)
                continue
            each = [statistics.median(values) for values in zip(*map(_figures, costs), strict=True)]
            print(f"| {name} | {each[0]:.2f} | {each[1]:.2f} | {each[2]:.1f} | {each[3]:.1f} |", flush=True)
        crossed = lab.counters()
    load = "/".join(f"{one:.2f}" for one in os.getloadavg())
    print(
        f"conditions: Linux {platform.release()} {platform.machine()}, {os.cpu_count()} processors, load {load} at the "
        f"end; Python {platform.python_version()}; plain ws and http; packets "
        f"over 1 ms late {crossed.down.late_ratio:.2%} down, {crossed.up.late_ratio:.2%} up; 1 MB = 10^6 bytes"
    )
    return code


def _figures(cost: Cost) -> tuple[float, float, float, float]:
    return cost.cpu_s_per_gb, cost.cpu_s, cost.rss_bytes / 1e6, cost.link_bytes / 1e6


if __name__ == "__main__":
    sys.exit(main())
