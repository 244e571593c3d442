"""The engine: one run of iperf3 in a child process, which never outlives its time or its caller."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec

from mektep_agent.clock import SystemTime, TimeSource
from mektep_agent.engines.engine import EngineError, Limits, StopRule
from mektep_agent.engines.iperf3.report import failure, read_report
from mektep_agent.engines.iperf3.target import TargetError, parse_target
from mektep_agent.engines.resolve import resolve
from mektep_agent.sample import ThroughputSample
from mektep_wire import Direction, EngineName, FailureKind, StopReason

PROGRAM: Final = "iperf3"
_INTERVAL_S: Final = 0.1
_GRACE_S: Final = 10.0
_END_S: Final = 2.0
_VERSION_TIMEOUT_S: Final = 5.0
_VERSION: Final = re.compile(r"iperf ([0-9][0-9A-Za-z.+-]{0,15})")
_SMALLEST_CAP_BYTES: Final = 1 << 17
_HEADER_SHARE: Final = 0.96


class Iperf3Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation says of its tests. `program` is a name on the search path, or a path."""

    program: str = PROGRAM
    streams_count: int = 1


class Iperf3Engine:
    """The program iperf3. Stop rules are not asked: it tells its intervals at its end. Holds nothing between tests."""

    def __init__(self, settings: Iperf3Settings | None = None, time: TimeSource | None = None) -> None:
        self._settings = settings or Iperf3Settings()
        self._time = time or SystemTime()
        self._version: str | None = None

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.IPERF3

    def version(self) -> str:
        """Return the version of the program, which is asked once."""
        if self._version is None:
            self._version = self._asked_version()
        return self._version

    def obstacle(self) -> str | None:
        """Return that the program is missing, and where it comes from, or None."""
        if shutil.which(self._settings.program) is None:
            return (
                f"the program `{self._settings.program}` is missing: install iperf3 "
                "(apt install iperf3; on Windows from https://iperf.fr) so that it is on the search path"
            )
        return None

    async def measure(self, target: str, direction: Direction, limits: Limits, stop: StopRule) -> ThroughputSample:
        """Run one transfer of `limits.max_duration_s`, or of `limits.max_bytes` where those come first.

        Raises EngineError. A cancelled test ends the program before the cancellation goes on.
        """
        program = shutil.which(self._settings.program)
        if program is None:
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, self.obstacle() or "iperf3 is missing")
        try:
            place = parse_target(target)
        except TargetError as error:
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, str(error)) from None
        addresses = await resolve(place.host, place.port, limits.connect_timeout_s)
        words = self._words(program, addresses[0].host, place.port, direction, limits)
        child = await asyncio.create_subprocess_exec(
            *words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env={**os.environ, "LC_ALL": "C"}
        )
        try:
            printed, complaint = await self._communicate(child, limits)
        finally:
            await _end(child)
        if not printed.strip():
            raise failure(complaint.decode("utf-8", "replace") or f"ended with {child.returncode} and no report")
        sample = msgspec.structs.replace(read_report(printed, direction), streams_count=self._settings.streams_count)
        if limits.max_bytes is not None and sample.duration_s < limits.max_duration_s:
            return msgspec.structs.replace(sample, stop_reason=StopReason.BYTE_CAP)
        return sample

    async def _communicate(self, child: Process, limits: Limits) -> tuple[bytes, bytes]:
        """Return what the program printed; one that goes on beyond its time is asked for what it has so far."""
        talking = asyncio.ensure_future(child.communicate())
        most_s = limits.connect_timeout_s + limits.max_duration_s
        try:
            for wait_s in (most_s if limits.max_bytes is not None else most_s + _GRACE_S, _GRACE_S):
                done, _ = await asyncio.wait({talking}, timeout=wait_s)
                if done:
                    return talking.result()
                with suppress(ProcessLookupError):
                    child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        finally:
            talking.cancel()
            with suppress(asyncio.CancelledError):
                await talking
        raise EngineError(FailureKind.TIMEOUT, f"iperf3 did not end within {most_s + _GRACE_S:.0f} s")

    def _words(self, program: str, host: str, port: int, direction: Direction, limits: Limits) -> Sequence[str]:
        words = [program, "--client", host, "--port", str(port), "--json", "--get-server-output"]
        words += ["--interval", str(_INTERVAL_S), "--parallel", str(self._settings.streams_count)]
        words += ["--connect-timeout", str(round(limits.connect_timeout_s * 1e3))]
        if direction is Direction.DOWNLOAD:
            words.append("--reverse")
        if limits.max_bytes is None:
            return [*words, "--time", str(max(1, round(limits.max_duration_s)))]
        return [*words, "--bytes", str(max(_SMALLEST_CAP_BYTES, int(limits.max_bytes * _HEADER_SHARE)))]

    def _asked_version(self) -> str:
        program = shutil.which(self._settings.program)
        if program is None:
            return "unknown"
        try:
            said = subprocess.run(  # noqa: S603 (the program that the settings name)
                [program, "--version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=False
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return "unknown"
        found = _VERSION.search(said)
        return found[1] if found else "unknown"


async def _end(child: Process) -> None:
    """End the program gently, then firmly."""
    if child.returncode is not None:
        return
    for told in (child.terminate, child.kill):
        with suppress(ProcessLookupError):
            told()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                await child.wait()
                return
