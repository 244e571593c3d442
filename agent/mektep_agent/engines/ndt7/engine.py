"""The engine: one NDT7 test from a target's address to a sample, in a thread that ends with it."""

import asyncio
import os
import threading
from pathlib import Path

import msgspec

from mektep_agent.clock import SystemTime, TimeSource
from mektep_agent.engines.engine import EngineError, Limits, StopRule
from mektep_agent.engines.ndt7.connect import Connector, parse_proxy
from mektep_agent.engines.ndt7.download import run_download
from mektep_agent.engines.ndt7.handshake import KEY_BYTES, Client, check_answer, upgrade_request
from mektep_agent.engines.ndt7.load import LOAD_BYTES, Load
from mektep_agent.engines.ndt7.session import Session
from mektep_agent.engines.ndt7.stream import Stream
from mektep_agent.engines.ndt7.target import Scheme, Target, TargetError, parse_target
from mektep_agent.engines.ndt7.upload import run_upload
from mektep_agent.engines.resolve import Address, Resolve, resolve
from mektep_agent.engines.tls import trust_context
from mektep_agent.sample import ThroughputSample
from mektep_wire import VERSION, Direction, EngineName, FailureKind


class Ndt7Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an installation says of its tests. `proxy` reads http://host:port; `authorities` is a PEM file for `wss`."""

    client: Client = Client()
    proxy: str | None = None
    authorities: Path | None = None


class Ndt7Engine:
    """M-Lab's NDT7 over `ws` and `wss` (specification v0.11). Holds nothing between tests.

    `look_up` finds the target's addresses; a proxy's, which the installation names, are found as the system does.
    """

    def __init__(
        self, settings: Ndt7Settings | None = None, time: TimeSource | None = None, look_up: Resolve = resolve
    ) -> None:
        self._settings = settings or Ndt7Settings()
        self._time = time or SystemTime()
        self._look_up = look_up

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        return EngineName.NDT7

    def version(self) -> str:
        """Return the version of this program, whose own code measures."""
        return VERSION

    def obstacle(self) -> str | None:
        """Return None: it needs nothing but sockets."""
        return None

    async def measure(self, target: str, direction: Direction, limits: Limits, stop: StopRule) -> ThroughputSample:
        """Run one test to the end that `limits` or `stop` set; raises EngineError. Leaves nothing open.

        Name, TCP, TLS and request have `limits.connect_timeout_s` together. `stop` is asked in the test's thread.
        A cancelled test is broken off within about 0.1 s, before the cancellation goes on.
        """
        until_s = self._time.monotonic_s() + limits.connect_timeout_s
        try:
            place = parse_target(target)
            if self._settings.proxy:
                addresses = await resolve(*parse_proxy(self._settings.proxy), limits.connect_timeout_s)
            else:
                addresses = await self._look_up(place.host, place.port, limits.connect_timeout_s)
        except TargetError as error:
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, str(error)) from None
        test = _Test(self._settings, self._time, place, direction, limits, stop)
        running = asyncio.ensure_future(asyncio.to_thread(test.run, addresses, until_s))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            test.abandoned.set()
            await asyncio.wait({running})
            trouble = running.exception()
            if trouble is not None and not isinstance(trouble, EngineError):
                raise trouble from None
            raise


class _Test:
    def __init__(
        self,
        settings: Ndt7Settings,
        time: TimeSource,
        target: Target,
        direction: Direction,
        limits: Limits,
        stop: StopRule,
    ) -> None:
        self.abandoned = threading.Event()
        self._settings = settings
        self._time = time
        self._target = target
        self._direction = direction
        self._limits = limits
        self._stop = stop

    def run(self, addresses: tuple[Address, ...], until_s: float) -> ThroughputSample:
        """Connect, measure, close; raises EngineError that says what it cost the link."""
        load = Load(os.urandom(LOAD_BYTES)) if self._direction is Direction.UPLOAD else None
        connector = Connector(self._time, self.abandoned, until_s)
        stream = self._connect(connector, addresses)
        try:
            session, rest = self._open(connector, stream)
            session.take(memoryview(rest))
            sample = run_upload(session, load, self._stop) if load else run_download(session, self._stop)
        except EngineError as error:
            spent = stream.link_bytes()
            stream.abort()
            raise EngineError(
                error.kind, error.detail, bytes_sent=spent.sent, bytes_received=spent.received
            ) from error.__cause__
        except BaseException:
            stream.abort()
            raise
        if session.is_closed_properly:
            stream.close()
        else:
            stream.abort()
        return sample

    def _connect(self, connector: Connector, addresses: tuple[Address, ...]) -> Stream:
        try:
            return connector.connect(addresses)
        except EngineError as error:
            if self._settings.proxy and error.kind is not FailureKind.INTERRUPTED:
                raise EngineError(FailureKind.PROXY_ERROR, f"the proxy cannot be reached: {error.detail}") from None
            raise

    def _open(self, connector: Connector, stream: Stream) -> tuple[Session, bytes]:
        if self._settings.proxy:
            connector.tunnel(stream, self._target)
        if self._target.scheme is Scheme.WSS:
            connector.secure(stream, trust_context(self._settings.authorities), self._target.host)
        key = os.urandom(KEY_BYTES)
        try:
            request = upgrade_request(self._target, self._direction, self._settings.client, key)
        except TargetError as error:
            raise EngineError(FailureKind.ENGINE_UNAVAILABLE, str(error)) from None
        requested_s = self._time.monotonic_s()
        connector.send(stream, request)
        answer, rest = connector.receive_answer(stream)
        check_answer(answer, self._target, key)
        return Session(stream, self._direction, self._limits, self._time, requested_s), rest
