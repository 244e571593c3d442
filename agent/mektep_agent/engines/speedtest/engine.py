"""The engine: one test by speedtest-cli in a child process, which never outlives its time or its caller."""

import asyncio
import importlib.metadata
import importlib.util
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from enum import StrEnum
from typing import Final

import msgspec

from mektep_agent.clock import SystemTime, TimeSource
from mektep_agent.engines.engine import EngineError, Limits, StopRule
from mektep_agent.engines.speedtest.talk import Began, Ended, Failed, Line, Moved, Order
from mektep_agent.engines.speedtest.target import TargetError, parse_target
from mektep_agent.sample import Point, ThroughputSample
from mektep_wire import Direction, EngineName, FailureKind, StopReason

STREAMS_COUNT: Final = 4
SLOW_MBPS: Final = 20.0
"""Below this, or where the download is not known, an upload has one stream, as several swell what is reported."""
_MEMORY_BYTES: Final = 512 << 20
_CPU_S: Final = 60
_SEARCH_S: Final = 40.0
_GRACE_S: Final = 8.0
_END_S: Final = 2.0
_SMALLEST_BYTES: Final = 1 << 10
_HEADER_BYTES: Final = 52
_SEGMENT_BYTES: Final = 1_448
_LINE_BYTES: Final = 1 << 14
_SHOWN_BYTES: Final = 300
_DISTRIBUTION: Final = "speedtest-cli"


class Consent(StrEnum):
    """Whether whoever answers for this computer lets it test against speedtest.net."""

    REFUSED = "refused"
    ALLOWED = "allowed"


class SpeedtestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation says of its tests."""

    consent: Consent = Consent.REFUSED
    streams_count: int = STREAMS_COUNT


class SpeedtestEngine:
    """speedtest-cli. Between tests it holds only how fast each target's last download was."""

    def __init__(self, settings: SpeedtestSettings | None = None, time: TimeSource | None = None) -> None:
        self._settings = settings or SpeedtestSettings()
        self._time = time or SystemTime()
        self._download_mbps: dict[str, float] = {}

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.SPEEDTEST

    def version(self) -> str:
        """Return the version of speedtest-cli."""
        try:
            return importlib.metadata.version(_DISTRIBUTION)[:32]
        except importlib.metadata.PackageNotFoundError:
            return "absent"

    def obstacle(self) -> str | None:
        """Return that nobody has consented, or that speedtest-cli is not installed, and what to do; or None."""
        if self._settings.consent is not Consent.ALLOWED:
            return (
                "speedtest.net is another company's service with terms of its own: where these allow it, set "
                '`speedtest = "allowed"` in the settings, or MEKTEP_SPEEDTEST=allowed in the environment'
            )
        if importlib.util.find_spec("speedtest") is None:
            return "speedtest-cli is not installed: install the extra, pip install 'mektep-meter[speedtest]'"
        return None

    async def measure(self, target: str, direction: Direction, limits: Limits, stop: StopRule) -> ThroughputSample:
        """Run one transfer to the end that `limits` or `stop` set; raises EngineError.

        A cancelled test ends its child before the cancellation goes on.
        """
        obstacle = self.obstacle()
        if obstacle is not None:
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, obstacle)
        try:
            place = parse_target(target)
        except TargetError as error:
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, str(error)) from None
        order = Order(
            mini_url=place.mini_url,
            direction=direction,
            streams_count=self._streams_count(target, direction),
            duration_s=limits.max_duration_s,
            timeout_s=limits.connect_timeout_s,
            memory_bytes=_MEMORY_BYTES,
            cpu_s=_CPU_S,
        )
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "mektep_agent.engines.speedtest.child",
            msgspec.json.encode(order).decode(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_LINE_BYTES,
        )
        listening = _Listening(child, direction, limits, stop)
        try:
            async with asyncio.timeout(_SEARCH_S + limits.max_duration_s + _GRACE_S):
                sample = await listening.sample()
        except TimeoutError:
            raise listening.failed(FailureKind.TIMEOUT, "speedtest-cli did not end in its time") from None
        finally:
            await _end(child)
        if direction is Direction.DOWNLOAD:
            last = sample.points[-1]
            self._download_mbps[target] = last.total_bytes * 8 / last.elapsed_s / 1e6
        return msgspec.structs.replace(sample, streams_count=order.streams_count)

    def _streams_count(self, target: str, direction: Direction) -> int:
        if direction is Direction.UPLOAD and self._download_mbps.get(target, 0.0) < SLOW_MBPS:
            return 1
        return self._settings.streams_count


class _Listening:
    """Takes in what the child says, and tells it when to stop."""

    def __init__(self, child: Process, direction: Direction, limits: Limits, stop: StopRule) -> None:
        self._child = child
        self._direction = direction
        self._limits = limits
        self._stop = stop
        self._points: list[Point] = []
        self._reason: StopReason | None = None
        self._ended: Ended | None = None

    async def sample(self) -> ThroughputSample:
        """Return what was measured; raises EngineError."""
        lines = self._child.stdout
        assert lines is not None  # noqa: S101 (it was asked for)
        decoder = msgspec.json.Decoder(Line)
        while raw := await lines.readline():
            try:
                self._take(decoder.decode(raw))
            except msgspec.DecodeError:
                said = raw[:_SHOWN_BYTES].decode("utf-8", "replace").strip()
                raise self.failed(FailureKind.PROTOCOL_ERROR, f"speedtest-cli's process said `{said}`") from None
        if self._ended is None:
            raise self.failed(FailureKind.ENGINE_UNAVAILABLE, await self._last_words())
        if not self._points or self._points[-1].total_bytes < _SMALLEST_BYTES:
            raise self.failed(FailureKind.STALLED, "speedtest-cli moved next to nothing")
        sent_bytes, received_bytes = self._spent()
        return ThroughputSample(
            direction=self._direction,
            points=tuple(self._points),
            duration_s=self._points[-1].elapsed_s,
            bytes_sent=sent_bytes,
            bytes_received=received_bytes,
            stop_reason=self._reason or StopReason.FULL_LENGTH,
        )

    def failed(self, kind: FailureKind, detail: str) -> EngineError:
        """Return the error, with what it cost the link as far as is known."""
        sent_bytes, received_bytes = self._spent()
        return EngineError(kind, detail, bytes_sent=sent_bytes, bytes_received=received_bytes)

    def _take(self, line: Line) -> None:
        if isinstance(line, Failed):
            raise self.failed(line.kind, line.detail)
        if isinstance(line, Ended):
            self._ended = line
        elif isinstance(line, Moved):
            self._points.append(Point(line.elapsed_s, line.total_bytes))
            if self._reason is None:
                self._reason = self._stop.decide(self._points) or self._cap_reached()
                if self._reason is not None and self._child.stdin is not None:
                    self._child.stdin.close()
        elif isinstance(line, Began):
            self._points.clear()

    def _cap_reached(self) -> StopReason | None:
        is_reached = self._limits.max_bytes is not None and max(self._spent()) >= self._limits.max_bytes
        return StopReason.BYTE_CAP if is_reached else None

    def _spent(self) -> tuple[int, int]:
        """Return what the child's kernel counted, or what the payload's packets and their answers come to, if more."""
        payload_bytes = self._points[-1].total_bytes if self._points else 0
        segments = payload_bytes // _SEGMENT_BYTES + 1
        loaded_bytes, other_bytes = payload_bytes + _HEADER_BYTES * segments, _HEADER_BYTES * (segments // 2 + 1)
        is_upload = self._direction is Direction.UPLOAD
        sent_bytes, received_bytes = (loaded_bytes, other_bytes) if is_upload else (other_bytes, loaded_bytes)
        if self._ended is None:
            return sent_bytes, received_bytes
        # What closed just before a look was counted too early: neither figure is ever too high.
        return max(sent_bytes, self._ended.sent_bytes or 0), max(received_bytes, self._ended.received_bytes or 0)

    async def _last_words(self) -> str:
        complaint = b"" if self._child.stderr is None else await self._child.stderr.read()
        code = await self._child.wait()
        words = complaint.decode("utf-8", "replace").strip().splitlines()[-1:]
        return f"speedtest-cli's process ended with {code} before its test did" + "".join(f": {one}" for one in words)


async def _end(child: Process) -> None:
    """End the child gently, then firmly."""
    if child.stdin is not None:
        child.stdin.close()
    for told in (child.terminate, child.kill):
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_S if told is child.kill else 0.1):
                await child.wait()
                return
        with suppress(ProcessLookupError):
            told()
    await child.wait()
