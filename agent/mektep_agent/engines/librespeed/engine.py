"""The engine: one LibreSpeed transfer from a target's address to a sample, in threads that end with it."""

import asyncio
import os
import ssl
import threading
from pathlib import Path
from typing import Final

import msgspec

from mektep_agent.clock import SystemTime, TimeSource
from mektep_agent.engines.engine import EngineError, Limits, StopRule
from mektep_agent.engines.librespeed.connection import Connection, connect
from mektep_agent.engines.librespeed.stream import PIECE_BYTES, Stream
from mektep_agent.engines.librespeed.target import Scheme, Target, TargetError, parse_target
from mektep_agent.engines.librespeed.transfer import Transfer
from mektep_agent.engines.resolve import Address, resolve
from mektep_agent.engines.tls import trust_context
from mektep_agent.sample import ThroughputSample
from mektep_wire import VERSION, Direction, EngineName, FailureKind

STREAMS_COUNT: Final = 3
"""Connections at once, as LibreSpeed's command-line client has them."""


class LibrespeedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation says of its tests. `authorities` is a PEM file for `https`."""

    streams_count: int = STREAMS_COUNT
    authorities: Path | None = None


class LibrespeedEngine:
    """LibreSpeed over `http` and `https`. Holds nothing between tests."""

    def __init__(self, settings: LibrespeedSettings | None = None, time: TimeSource | None = None) -> None:
        self._settings = settings or LibrespeedSettings()
        self._time = time or SystemTime()

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.LIBRESPEED

    def version(self) -> str:
        """Return the version of this program, whose own code measures."""
        return VERSION

    def obstacle(self) -> str | None:
        """Return None: it needs nothing but sockets."""
        return None

    async def measure(self, target: str, direction: Direction, limits: Limits, stop: StopRule) -> ThroughputSample:
        """Run one transfer to the end that `limits` or `stop` set; raises EngineError. Leaves nothing open.

        `stop` is asked in the test's thread. A cancelled test is broken off within about 0.1 s, before the
        cancellation goes on.
        """
        try:
            place = parse_target(target)
        except TargetError as error:
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, str(error)) from None
        context = trust_context(self._settings.authorities) if place.scheme is Scheme.HTTPS else None
        addresses = await resolve(place.host, place.port, limits.connect_timeout_s)
        abandoned = threading.Event()
        transfer = self._transfer(place, addresses, context, direction, limits, stop, abandoned)
        running = asyncio.ensure_future(asyncio.to_thread(transfer.run))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            abandoned.set()
            await asyncio.wait({running})
            trouble = running.exception()
            if trouble is not None and not isinstance(trouble, EngineError):
                raise trouble from None
            raise

    def _transfer(
        self,
        target: Target,
        addresses: tuple[Address, ...],
        context: ssl.SSLContext | None,
        direction: Direction,
        limits: Limits,
        stop: StopRule,
        abandoned: threading.Event,
    ) -> Transfer:
        over, went = threading.Event(), threading.Event()
        block = memoryview(os.urandom(PIECE_BYTES) if direction is Direction.UPLOAD else b"")

        def opening(until_s: float) -> Connection:
            return connect(target, addresses, context, self._time, over, until_s)

        streams = [
            Stream(target, direction, limits, self._time, over, went, opening, block)
            for _ in range(self._settings.streams_count)
        ]
        return Transfer(streams, direction, limits, stop, self._time, over, went, abandoned.is_set)
