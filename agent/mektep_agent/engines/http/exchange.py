"""One HTTP/1.1 request and the beginning of its answer, by h11: status, headers, and as much body as is wanted."""

import asyncio
from collections.abc import Sequence

import h11
import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.http.link import Link
from mektep_wire import FailureKind

_MAX_HEAD_BYTES = 16_384
_MAX_INTERIM_COUNT = 4


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came: `ttfb_ms` and `whole_ms` count from the request. `is_whole` is False where more was to come."""

    status: int
    location: str | None
    body: bytes
    is_whole: bool
    ttfb_ms: float
    whole_ms: float


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait: for the next bytes, and for all that is wanted."""

    silence_s: float
    whole_s: float


async def ask(
    link: Link,
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    body_bytes: int,
    time: TimeSource,
    patience: Patience,
) -> Answer:
    """Send one request and read its answer, at most `body_bytes` of its body, at most so long as `patience` lasts.

    Raises EngineError: STALLED (nothing came for long), TIMEOUT (too slow as a whole), CLOSED_EARLY, PROTOCOL_ERROR;
    OSError for trouble of the connection.
    """
    began_s = time.monotonic_s()
    try:
        async with asyncio.timeout(patience.whole_s):
            return await _Conversation(link, time, patience.silence_s).hold(method, target, headers, body_bytes)
    except TimeoutError:
        spent_s = time.monotonic_s() - began_s
        raise EngineError(FailureKind.TIMEOUT, f"the answer was not there after {spent_s:.0f} s") from None


class _Conversation:
    def __init__(self, link: Link, time: TimeSource, silence_s: float) -> None:
        self._link = link
        self._time = time
        self._silence_s = silence_s
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD_BYTES)
        self._first_byte_s: float | None = None
        self._is_over = False

    async def hold(self, method: str, target: str, headers: Sequence[tuple[str, str]], body_bytes: int) -> Answer:
        request = self._http.send(h11.Request(method=method, target=target, headers=list(headers)))
        end = self._http.send(h11.EndOfMessage())
        asked_s = self._time.monotonic_s()
        await self._link.send((request or b"") + (end or b""))
        head = await self._head()
        body, is_whole = b"", True
        if body_bytes:
            body, is_whole = await self._body(body_bytes)
        ended_s = self._time.monotonic_s()
        locations = [value for name, value in head.headers if name == b"location"]
        return Answer(
            status=head.status_code,
            location=locations[0].decode("latin-1") if locations else None,
            body=body,
            is_whole=is_whole,
            ttfb_ms=((self._first_byte_s or ended_s) - asked_s) * 1e3,
            whole_ms=(ended_s - asked_s) * 1e3,
        )

    async def _head(self) -> h11.Response:
        for _ in range(_MAX_INTERIM_COUNT):
            event = await self._next()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise EngineError(FailureKind.CLOSED_EARLY, "the server closed the connection without an answer")
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server goes on announcing an answer")

    async def _body(self, body_bytes: int) -> tuple[bytes, bool]:
        body = b""
        while len(body) < body_bytes:
            event = await self._next()
            if isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                return body, True
        return body[:body_bytes], False

    async def _next(self) -> object:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                if self._is_over:
                    told = "the server closed the connection before its answer was whole"
                    raise EngineError(FailureKind.CLOSED_EARLY, told) from None
                raise EngineError(FailureKind.PROTOCOL_ERROR, f"the answer is not HTTP: {error}") from None
            if event is not h11.NEED_DATA:
                return event
            try:
                async with asyncio.timeout(self._silence_s):
                    data = await self._link.receive()
            except TimeoutError:
                told = f"the connection stands, but nothing came for {self._silence_s:g} s"
                raise EngineError(FailureKind.STALLED, told) from None
            if data and self._first_byte_s is None:
                self._first_byte_s = self._time.monotonic_s()
            self._is_over = not data
            self._http.receive_data(data)
