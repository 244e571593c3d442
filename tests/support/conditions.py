"""What stands beside a benchmark's figures: the machine that they were measured on, and whether a bound was kept."""

import os
import platform
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import apsw
import psutil


def machine(*libraries: str) -> str:
    """Return the processor, its load at this moment, the system, Python and the versions of `libraries`."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), platform.machine())
    told = ", ".join(f"{name} {version(name)}" for name in libraries)
    return (
        f"{model}, {len(os.sched_getaffinity(0))} processors for all of it, load {os.getloadavg()[0]:.1f} at the "
        f"start; {platform.system()} {platform.release()}; Python {platform.python_version()}; {told}; "
        f"SQLite {apsw.sqlite_lib_version()}"
    )


def verdict(name: str, value: float, bound: float, unit: str, *, at_least: bool = False) -> None:
    """Print whether a figure stays at or below its bound, or reaches it where it is a least one."""
    is_kept, sign = (value >= bound, ">=") if at_least else (value <= bound, "<=")
    print(f"{'kept   ' if is_kept else 'BROKEN '} {name} {sign} {bound:g} {unit}: {value:.4g} {unit}", flush=True)


def cpu_s(process: psutil.Process) -> float:
    """Return the processor seconds of a process so far, user and system, all threads."""
    times = process.cpu_times()
    return float(times.user + times.system)


def tree_cpu_s(process: psutil.Process) -> float:
    """Return the processor seconds so far of a process and of all that it started, whether they have ended or not."""
    used_s = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            used_s += float(times.user + times.system + times.children_user + times.children_system)
    return used_s
