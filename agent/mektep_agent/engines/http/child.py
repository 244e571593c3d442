"""Implements `PageEngine` by a process for each page, which ends with it."""

import asyncio
import os
import subprocess
import sys
from contextlib import suppress

import msgspec

from mektep_agent.engines.assigned import Reach
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.order import PageOrder, PageOutcome
from mektep_agent.sample import PageSample
from mektep_wire import VERSION, EngineName, FailureKind

_TIMEOUT_S = 180.0
"""More than the steps of a page and of its redirects may take together."""
_SHOWN_BYTES = 2_000


class FetchingEndedError(RuntimeError):
    """The process ended without an outcome: a bug of ours. The message holds its last words."""


class PagesInChild:
    """Implements `PageEngine`."""

    def __init__(self, reach: Reach, timeout_s: float = _TIMEOUT_S) -> None:
        self._reach = reach
        self._timeout_s = timeout_s

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.HTTP

    def version(self) -> str:
        """Return the version of this distribution, whose code measures."""
        return VERSION

    def obstacle(self) -> str | None:
        """Return None: any program may open connections."""
        return None

    async def measure(self, target: str, expected_text: str | None) -> PageSample:
        """Fetch the page at `target`; raises EngineError. The process is gone when this returns, however it ends."""
        order = PageOrder(target=target, expected_text=expected_text, reach=self._reach)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "mektep_agent.engines.http"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                # A Ctrl-C at the terminal is for the daemon.
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            told = f"the process that fetches pages could not be started: {error.strerror or error}"
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, told) from None
        try:
            async with asyncio.timeout(self._timeout_s):
                said, complaint = await process.communicate(msgspec.json.encode(order))
        except TimeoutError:
            told = f"the page and its redirects took longer than {self._timeout_s:g} s together"
            raise EngineError(FailureKind.TIMEOUT, told) from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode is not None and process.returncode < 0:
            told = f"the process that fetches pages was killed by signal {-process.returncode}"
            raise EngineError(FailureKind.INTERRUPTED, told)
        return _sample(said, complaint)


def _sample(said: bytes, complaint: bytes) -> PageSample:
    try:
        outcome = msgspec.json.decode(said, type=PageOutcome)
    except msgspec.DecodeError:
        words = complaint[-_SHOWN_BYTES:].decode("utf-8", "replace").strip()
        raise FetchingEndedError(f"the process that fetches pages ended without an outcome: {words}") from None
    if outcome.fault is not None:
        fault = outcome.fault
        raise EngineError(fault.kind, fault.detail, bytes_sent=fault.bytes_sent, bytes_received=fault.bytes_received)
    if outcome.sample is None:
        raise FetchingEndedError("the process that fetches pages gave neither a sample nor a fault")
    return outcome.sample
