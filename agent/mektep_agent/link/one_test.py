"""One throughput test at a time on this computer, whoever runs it: the daemon, a second agent, or a technician.

On Linux the claim is a socket's name in the network namespace: it goes with the process that holds it, and hosts that
share nothing but their disk do not wait for each other. Elsewhere it is a locked file among the temporary ones. A test
against this computer itself fills no line and needs no claim.
"""

import asyncio
import ipaddress
import os
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from mektep_agent.config.lock import lock_at_once

_NAME = b"\0mektep-meter/throughput-test"
_FILE = "mektep-meter-throughput-test.lock"
_LOOK_S = 0.5
PATIENCE_S = 90.0
"""Longer than any test."""


class OtherTestError(Exception):
    """Another test ran on this computer for as long as was waited."""


@asynccontextmanager
async def only_test(target: str, patience_s: float = PATIENCE_S) -> AsyncGenerator[None]:
    """Hold this computer's line for a test against `target`; raises OtherTestError when others do not give it up."""
    if is_this_computer(target):
        yield
        return
    claim = _claim()
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + patience_s
    while claim is None:
        if loop.time() >= deadline_s:
            raise OtherTestError("another test runs on this computer and does not end")
        await asyncio.sleep(_LOOK_S)
        claim = _claim()
    try:
        yield
    finally:
        claim.close()


class _FileClaim:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        os.close(self._descriptor)


def _claim() -> socket.socket | _FileClaim | None:
    """Return the claim, or None while another process has it."""
    return _claim_name() if sys.platform == "linux" else _claim_file()


def _claim_name() -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(_NAME)
    except OSError:
        claim.close()
        return None
    return claim


def _claim_file() -> _FileClaim | None:
    descriptor = os.open(Path(tempfile.gettempdir()) / _FILE, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        lock_at_once(descriptor)
    except OSError:
        os.close(descriptor)
        return None
    return _FileClaim(descriptor)


def is_this_computer(target: str) -> bool:
    """Tell whether a test against `target` stays within this computer and fills no line."""
    host = urlsplit(target).hostname or ""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
