"""Any program, alone in a process that knows what it cost: `python -m tests.support.peers.alone SECONDS WORD...`."""

import os
import subprocess
import sys
from collections.abc import Sequence

import msgspec

from tests.support.links.namespace import Host
from tests.support.peers.costed import costed
from tests.support.peers.result import ROOT


class Alone(msgspec.Struct, frozen=True, kw_only=True):
    """What a program printed, its processor seconds and its peak of memory."""

    printed: str
    cpu_s: float
    rss_bytes: int


def alone(host: Host, words: Sequence[str], timeout_s: float) -> Alone:
    """Run a program in `host`; raises CalledProcessError with its complaint, TimeoutExpired."""
    command = [sys.executable, "-m", "tests.support.peers.alone", str(timeout_s), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        host.command(command),
        capture_output=True,
        text=True,
        timeout=timeout_s + 10,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, list(words), done.stdout, done.stderr[-2_000:])
    return msgspec.json.decode(done.stdout, type=Alone)


if __name__ == "__main__":
    printed, cpu_s, rss_bytes = costed(sys.argv[2:], os.environ, float(sys.argv[1]))
    sys.stdout.write(msgspec.json.encode(Alone(printed=printed, cpu_s=cpu_s, rss_bytes=rss_bytes)).decode())
