"""What a client that is not ours said, and what it cost."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.support.links.namespace import Host

ROOT = Path(__file__).parents[3]
CACHE = ROOT / ".cache"


class PeerMissingError(Exception):
    """The client cannot run on this machine; the message says what is missing."""


class PeerRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run: the two figures as the client itself reports them, its processor time and its peak of memory."""

    download_mbps: float
    upload_mbps: float
    cpu_s: float
    rss_bytes: int


def run_inside(host: Host | None, module: str, arguments: Sequence[str], timeout_s: float) -> PeerRun:
    """Run a module of this package in `host`, or on this machine, and return what it prints.

    Raises CalledProcessError with its complaint, TimeoutExpired.
    """
    words = [sys.executable, "-m", f"tests.support.peers.{module}", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        host.command(words) if host is not None else words,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr[-2_000:])
    return msgspec.json.decode(done.stdout, type=PeerRun)
