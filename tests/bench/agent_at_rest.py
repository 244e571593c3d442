"""What the agent costs a school's computer when it measures nothing: memory, processor, wake-ups.

`python -m tests.bench.agent_at_rest [--seconds 60]`. A real daemon, enrolled with a collector on this machine, started
as `mektep-agent run` starts it. It measures once and delivers first, so that all it ever loads is loaded. It prints
the figures with their conditions, and ends with 1 where a promise is broken.
"""

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil

from tests.support.agent_program import Agent, ended, until_logged
from tests.support.fake_collector import CODE, fake_collector

MAX_RESIDENT_MB = 40.0
MAX_CPU_RATIO = 0.002


def _status(process: psutil.Process, field: str) -> int:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


def main(seconds: float) -> int:
    """Measure for so long; return the exit code."""
    with tempfile.TemporaryDirectory() as place, fake_collector() as collector:
        agent = Agent(Path(place) / "state", startup_delay_max_s="0", ballast_bytes="2097152")
        # The cadence of a school, at its busiest: school is open round the clock.
        collector.assignment = msgspec.structs.replace(
            collector.assignment, latency_interval_s=900.0, path_interval_s=3_600.0, send_interval_s=900.0,
            holiday_country="KZ", throughput_slots_count=0 if seconds < 600 else 4,
        )  # fmt: skip
        done = agent.call("enrol", collector.url, "--code", CODE)
        if done.returncode != 0:
            sys.stderr.write(done.stderr)
            return 1
        with agent.running() as daemon:
            until_logged(daemon, "batch_sent")
            process = psutil.Process(daemon.pid)
            most_courier_mb = 0.0
            while children := process.children():
                for child in children:
                    try:
                        most_courier_mb = max(most_courier_mb, child.memory_info().rss / 1e6)
                    except psutil.NoSuchProcess:
                        continue
                time.sleep(0.005)
            time.sleep(3.0)
            before, switches = process.cpu_times(), _status(process, "voluntary_ctxt_switches")
            begun_s = time.monotonic()
            most_mb = 0.0
            while time.monotonic() - begun_s < seconds:
                most_mb = max(most_mb, process.memory_info().rss / 1e6)
                time.sleep(min(1.0, seconds))
            took_s = time.monotonic() - begun_s
            after = process.cpu_times()
            cpu_s = (after.user + after.system + after.children_user + after.children_system) - (
                before.user + before.system + before.children_user + before.children_system
            )
            own = process.memory_full_info()
            wakeups = _status(process, "voluntary_ctxt_switches") - switches
            peak_mb, threads_count = _status(process, "VmHWM") * 1024 / 1e6, process.num_threads()
            ended(daemon, signal.SIGTERM)
    print(f"agent at rest for {took_s:.0f} s, after one measurement and one delivery")
    print(f"  resident           {most_mb:6.1f} MB at most   (promise: <= {MAX_RESIDENT_MB:.0f} MB; 1 MB = 10^6 bytes)")
    print(f"  of it its own      {own.uss / 1e6:6.1f} MB           (the rest is shared with other programs)")
    print(f"  peak since start   {peak_mb:6.1f} MB, {threads_count} threads")
    print(f"  processor          {cpu_s / took_s * 100:6.3f} % of a core (promise: <= {MAX_CPU_RATIO * 100:.1f} %)")
    print(f"  wake-ups           {wakeups / took_s * 60:6.1f} a minute, all threads")
    print(f"  courier while sending, a process of its own: {most_courier_mb:.1f} MB, ended after it")
    print(
        f"  conditions: {platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.2f}, school open round the clock, latency every 900 s, sending every 900 s"
    )
    return 0 if most_mb <= MAX_RESIDENT_MB and cpu_s / took_s <= MAX_CPU_RATIO else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to look, 3600 for an hour")
    sys.exit(main(parser.parse_args().seconds))
