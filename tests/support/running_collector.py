"""The real collector as a user runs it: its program in processes of their own, on free ports of this machine."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from typer.testing import CliRunner, Result

from mektep_collector.cli import app

PROGRAM = (sys.executable, "-m", "mektep_collector")
_WAIT_S = 60.0


class RunningCollector:
    """A collector that serves. `log` grows as it speaks."""

    def __init__(self, process: subprocess.Popen[str], data_dir: Path, ready: dict[str, Any], log: list[str]) -> None:
        self.process = process
        self.data_dir = data_dir
        self.ready = ready
        self.log = log
        self.url: str = ready["collector"]

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page."""
        return httpx.get(self.url + path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def metric(self, series: str) -> float:
        """Return the value of one series of /metrics; 0 where there is none."""
        for line in self.get("/metrics").text.splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
        return 0.0

    def end(self, told: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end and return its exit code."""
        self.process.send_signal(told)
        return self.process.wait(20)


def command(*arguments: str, data_dir: Path, expect: int = 0) -> Result:
    """Run a command on a data directory, within this process, and hold it to its exit code."""
    done = CliRunner().invoke(app, [*arguments, "--data-dir", str(data_dir)], catch_exceptions=False)
    assert done.exit_code == expect, f"{arguments} ended with {done.exit_code}: {done.stderr}"
    return done


def program(*arguments: str, data_dir: Path, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
    """Run a command on a data directory as a program of its own, and hold it to its exit code, if that is told."""
    done = subprocess.run(
        [*PROGRAM, *arguments, "--data-dir", str(data_dir)],
        capture_output=True, text=True, timeout=_WAIT_S, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert expect in {None, done.returncode}, f"{arguments} ended with {done.returncode}: {done.stderr}"
    return done


def answer(*arguments: str, data_dir: Path) -> dict[str, Any]:
    """Run a command with --json and return what it says."""
    said: dict[str, Any] = json.loads(command(*arguments, "--json", data_dir=data_dir).stdout)
    return said


def await_that(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds; raises AssertionError when it does not in time."""
    deadline_s = time.monotonic() + _WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s, f"waited {_WAIT_S:.0f} s in vain: {what}"
        time.sleep(0.02)


@contextmanager
def running_collector(data_dir: Path, *options: str) -> Generator[RunningCollector, None, None]:
    """Serve for the time of the block."""
    arguments = ("serve", "--json", "--data-dir", str(data_dir), "--port", "0", *options)
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # No test's agent is to look at a real platform.
        env={"MEKTEP_COLLECTOR_PLATFORMS": "", **os.environ},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    log: list[str] = []
    errors = process.stderr
    reader = threading.Thread(target=lambda: log.extend(errors))
    reader.start()
    watch = threading.Timer(_WAIT_S, process.kill)
    watch.start()
    try:
        line = process.stdout.readline()
        watch.cancel()
        assert line, "".join(log)
        yield RunningCollector(process, data_dir, msgspec.json.decode(line), log)
    finally:
        watch.cancel()
        watch.join()
        process.terminate()
        try:
            process.wait(20)
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stdout.close()
            process.stderr.close()
