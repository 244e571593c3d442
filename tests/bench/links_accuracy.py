"""Throughput against links of known truth, beside M-Lab's own JavaScript client: `make bench-mlab` (root).

On each link the project's measuring server stands at the far end; from the school's end the agent measures, then
M-Lab's client, one after the other over the same link. Truth is the link's rate x 1448/1500, what full packets carry.
Two figures of the agent are held against something:

- its full-length throughput against the truth;
- its NDT7 figure (bytes / whole time, as every NDT7 client states it) against M-Lab's client, like with like.

A link that delivered more than 0.5 % of its packets over 1 ms late, because the machine was busy, was not the link that
it claims to be: both are measured again, up to three times, whatever they read. All attempts are printed, the last
counts.

Ends with 1 where one of them is more than 3 % off, with 2 where the laboratory cannot be had.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import msgspec

from mektep_wire import Direction, Metric
from tests.support.links import CongestionControl, Laboratory, LaboratoryError, laboratory, obstacle, symmetric
from tests.support.links.measuring import NDT7_PORT, measure, measuring_server
from tests.support.mlab_ndt7 import client as mlab

RATES_MBPS = (5.0, 20.0, 100.0)
RTTS_MS = (20.0, 40.0, 80.0)
QUEUE_MS = 200.0
BAND_RATIO = 0.03
MLAB_TIMEOUT_S = 60
TRUSTED_LATE_RATIO = 0.005
ATTEMPTS = 3
FAILED, UNAVAILABLE = 1, 2

FULL_LENGTH = {
    Direction.DOWNLOAD: Metric.DOWNLOAD_FULL_LENGTH_MBPS,
    Direction.UPLOAD: Metric.UPLOAD_FULL_LENGTH_MBPS,
}
NDT7_FIGURE = {Direction.DOWNLOAD: Metric.DOWNLOAD_NDT7_MBPS, Direction.UPLOAD: Metric.UPLOAD_NDT7_MBPS}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One direction of one link."""

    rate_mbps: float
    rtt_ms: float
    direction: Direction
    truth_mbps: float
    ours_mbps: float
    ours_ndt7_mbps: float
    mlab_mbps: float
    reading_bytes: int
    link_bytes: int
    agent_cpu_s: float
    late_packets: int
    delivered_packets: int

    @property
    def error_ratio(self) -> float:
        """Our throughput against the truth."""
        return self.ours_mbps / self.truth_mbps - 1

    @property
    def mlab_error_ratio(self) -> float:
        """M-Lab's figure against the truth."""
        return self.mlab_mbps / self.truth_mbps - 1

    @property
    def against_mlab_ratio(self) -> float:
        """Our NDT7 figure against M-Lab's."""
        return self.ours_ndt7_mbps / self.mlab_mbps - 1

    def late_ratio(self) -> float:
        """Return the share of packets that the link delivered over 1 ms late."""
        return self.late_packets / self.delivered_packets

    def is_within_band(self) -> bool:
        """Return whether both comparisons hold."""
        return max(abs(self.error_ratio), abs(self.against_mlab_ratio)) <= BAND_RATIO


HEADER = (
    "link Mbit/s  RTT ms  way       truth    ours           NDT7 figure  M-Lab JS       NDT7 vs M-Lab  "
    "MB reading/link  agent CPU s   late"
)


def line(row: Row) -> str:
    """Return a row as a person reads it."""
    return (
        f"{row.rate_mbps:11g}  {row.rtt_ms:6g}  {row.direction.value:<8}  {row.truth_mbps:7.3f}  "
        f"{row.ours_mbps:7.3f} {row.error_ratio:+6.1%}  {row.ours_ndt7_mbps:10.3f}  "
        f"{row.mlab_mbps:7.3f} {row.mlab_error_ratio:+6.1%}  {row.against_mlab_ratio:+13.1%}  "
        f"{row.reading_bytes / 1e6:7.2f}/{row.link_bytes / 1e6:<7.2f}  {row.agent_cpu_s:11.2f}  {row.late_ratio():5.1%}"
        + ("" if row.is_within_band() else "  <- beyond 3 %")
    )


def mlab_figures(lab: Laboratory, command: list[str]) -> dict[Direction, float]:
    """Run M-Lab's client over the link and return its figures; raises LaboratoryError where it failed."""
    done = lab.school.run(command, timeout_s=MLAB_TIMEOUT_S, check=False)
    result = mlab.decode(done.stdout)
    if result.code != 0 or result.download_mbps is None or result.upload_mbps is None:
        raise LaboratoryError(f"M-Lab's client failed with {result.code}: {result.errors} {done.stderr.strip()}")
    return {Direction.DOWNLOAD: result.download_mbps, Direction.UPLOAD: result.upload_mbps}


def measured(lab: Laboratory, server: str, mlab_command: list[str]) -> Iterator[Row]:
    """Measure both ways with the agent, then with M-Lab's client; raises LaboratoryError where one of them fails."""
    link = lab.links[0].link
    before = lab.counters()
    ours = measure(lab.school, server, "--full")
    between = lab.counters()
    figures = mlab_figures(lab, mlab_command)
    after = lab.counters()
    if lab.links[0].overrun_packets():
        raise LaboratoryError("the kernel dropped packets before the link: this machine is too busy to be believed")
    for direction in Direction:
        reading = ours.throughput(direction)
        shape, first, second, last = (
            (link.down, before.down, between.down, after.down)
            if direction is Direction.DOWNLOAD
            else (link.up, before.up, between.up, after.up)
        )
        yield Row(
            rate_mbps=shape.rate_mbps,
            rtt_ms=link.rtt_ms,
            direction=direction,
            truth_mbps=shape.tcp_goodput_mbps,
            ours_mbps=ours.value(FULL_LENGTH[direction]),
            ours_ndt7_mbps=ours.value(NDT7_FIGURE[direction]),
            mlab_mbps=figures[direction],
            reading_bytes=reading.bytes_received if direction is Direction.DOWNLOAD else reading.bytes_sent,
            link_bytes=second.delivered_bytes - first.delivered_bytes,
            agent_cpu_s=ours.cpu_s,
            late_packets=last.late_packets - first.late_packets,
            delivered_packets=last.delivered_packets - first.delivered_packets,
        )


def trusted(rate_mbps: float, rtt_ms: float, control: CongestionControl, mlab_command: list[str]) -> list[Row]:
    """Measure on a fresh link, again where the machine made it late, and print; raises as `measured`."""
    link = symmetric(rate_mbps, rtt_ms, queue_ms=QUEUE_MS)
    for attempt in range(1, ATTEMPTS + 1):
        with laboratory(link, congestion_control=control) as lab, measuring_server(lab.server) as server:
            rows = list(measured(lab, server, mlab_command))
        is_last = attempt == ATTEMPTS or max(row.late_ratio() for row in rows) <= TRUSTED_LATE_RATIO
        for row in rows:
            print(line(row) + ("" if is_last else "  machine busy: measured again"), flush=True)
        if is_last:
            break
    return rows


def conditions(control: CongestionControl) -> str:
    """Return what the figures rest on."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    load = "/".join(f"{one:.2f}" for one in os.getloadavg())
    return (
        f"Linux {platform.release()} {platform.machine()}, {os.cpu_count()} processors, load {load}; "
        f"Python {platform.python_version()}, mektep-meter {version('mektep-meter')}, Node {node}; "
        f"queue {QUEUE_MS:g} ms, no loss; full length, plain ws; "
        f"sending: the measuring server's own choice down, {control.value} up."
    )


def pairs(words: list[str]) -> list[tuple[float, float]]:
    """Return (rate, RTT) for each `RATE:RTT`; all of the grid for none. Raises ValueError."""
    if not words:
        return [(rate_mbps, rtt_ms) for rate_mbps in RATES_MBPS for rtt_ms in RTTS_MS]
    return [(float(rate), float(rtt)) for rate, _, rtt in (word.partition(":") for word in words)]


def main() -> int:
    """Print the table as it grows; return the exit code."""
    parser = argparse.ArgumentParser(description="Throughput against links of known truth, beside M-Lab's client.")
    parser.add_argument(
        "links", nargs="*", metavar="MBPS:RTT_MS", help="links to measure; the grid of the promise if none"
    )
    links = pairs(parser.parse_args().links)
    control = CongestionControl.CUBIC
    if (missing := obstacle()) is not None:
        sys.stderr.write(f"no links of known truth: {missing}\n")
        return UNAVAILABLE
    try:
        mlab_command = mlab.command(f"10.77.0.2:{NDT7_PORT}")
    except mlab.PeerMissingError as error:
        sys.stderr.write(f"{error}\n")
        return UNAVAILABLE
    print(conditions(control))
    print(HEADER)
    rows: list[Row] = []
    broken = 0
    for rate_mbps, rtt_ms in links:
        try:
            rows += trusted(rate_mbps, rtt_ms, control, mlab_command)
        except LaboratoryError as error:
            print(f"{rate_mbps:11g}  {rtt_ms:6g}  {error}", flush=True)
            broken += 1
    beyond = [row for row in rows if not row.is_within_band()]
    worst = max((abs(row.error_ratio) for row in rows), default=float("nan"))
    worst_against = max((abs(row.against_mlab_ratio) for row in rows), default=float("nan"))
    print(
        f"{len(rows)} directions: worst {worst:.1%} off the truth, {worst_against:.1%} off M-Lab's client; "
        f"{len(beyond)} beyond {BAND_RATIO:.0%}, {broken} links without figures."
    )
    return FAILED if beyond or broken else 0


if __name__ == "__main__":
    sys.exit(main())
