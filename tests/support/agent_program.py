"""The real `mektep-agent` as a test runs it: its own process, its own state folder, no setting of this machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("mektep-agent")
TIMEOUT_S = 60.0


class Agent:
    """One agent on this machine."""

    def __init__(self, state: Path, **settings: str) -> None:
        self.state = state
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MEKTEP_")}
        self.environment = {
            **kept, "MEKTEP_STATE_DIR": str(state), "XDG_CONFIG_HOME": str(state / "no-config"),
            "XDG_CONFIG_DIRS": str(state / "no-config"), "MEKTEP_CONNECT_TIMEOUT_S": "2",
            "MEKTEP_REQUEST_TIMEOUT_S": "5", "MEKTEP_BALLAST_BYTES": "0",
            **{f"MEKTEP_{name.upper()}": value for name, value in settings.items()},
        }  # fmt: skip

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(PROGRAM), *arguments], env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_S,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def said(self, *arguments: str) -> dict[str, object]:
        """Return the JSON that a command that must succeed prints."""
        done = self.call(*arguments, "--json")
        assert done.returncode in {0, 3}, done.stderr
        said: dict[str, object] = json.loads(done.stdout)
        return said

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Keep `mektep-agent run` going for the block; what is left of it is killed."""
        process = subprocess.Popen(
            [str(PROGRAM), "run", "--log-form", "json", *arguments], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> list[dict[str, object]]:
    """Send a signal, wait for the end, and return the lines of the log."""
    process.send_signal(number)
    _, errors = process.communicate(timeout=TIMEOUT_S)
    return [json.loads(line) for line in errors.splitlines() if line.startswith("{")]


def until_logged(process: subprocess.Popen[str], event: str) -> dict[str, object]:
    """Return the first line of the log with this event; fails when the log ends before."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if line.startswith("{"):
            said: dict[str, object] = json.loads(line)
            if said["event"] == event:
                return said
    raise AssertionError(f"{event} was never logged:\n{''.join(seen)}")
