"""Lines to other collectors, kept between requests and lent to one request at a time: HTTP/1.1 (RFC 9112) by h11.

A general client's pool looks through all its connections for each request: with 24 at once that took several times the
processor that taking a batch in takes.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import h11

_CONNECT_S: Final = 3.0
_DEADLINE_S: Final = 30.0
_AT_ONCE_COUNT: Final = 64
_MAX_ANSWER_BYTES: Final = 1 << 20
_PIECE_BYTES: Final = 1 << 16


class PeerError(Exception):
    """No whole answer came; the message says why. What was sent may have been taken in."""


class Answer(NamedTuple):
    """What a collector answered; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class PeerLines:
    """Lines by collector. At most 64 requests are under way at once, further ones wait. `close` it at the end."""

    def __init__(self, deadline_s: float = _DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._idle: dict[tuple[str, str], list[_Line]] = {}
        self._room = asyncio.Semaphore(_AT_ONCE_COUNT)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return the answer to a request that may be sent twice: a kept line may have ended. Raises PeerError."""
        try:
            async with asyncio.timeout(self._deadline_s), self._room:
                return await self._posted(url, headers, body)
        except TimeoutError:
            raise PeerError(f"{url} did not answer in time") from None
        except (OSError, h11.ProtocolError) as error:
            raise PeerError(f"{url} did not answer: {error!r}") from error

    def close(self) -> None:
        """Let go of the kept lines."""
        for lines in self._idle.values():
            for line in lines:
                line.close()
        self._idle.clear()

    async def _posted(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        told = urlsplit(url)
        idle = self._idle.setdefault((told.scheme, told.netloc), [])
        every = {"Host": told.netloc, "Content-Length": str(len(body)), **headers}
        sent = [(name.encode("ascii"), value.encode("latin-1")) for name, value in every.items()]
        while True:
            is_kept = bool(idle)
            line = idle.pop() if idle else await _connected(told.scheme, told.hostname or "", told.port)
            try:
                answer = await line.post(told.path, sent, body)
            except (OSError, h11.ProtocolError):
                line.close()
                if not is_kept:
                    raise
            except BaseException:
                line.close()
                raise
            else:
                if line.is_at_rest():
                    idle.append(line)
                else:
                    line.close()
                return answer


class _Line:
    """One connection, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)

    async def post(self, target: str, headers: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        http = self._http
        events = (h11.Request(method="POST", target=target, headers=headers), h11.Data(body), h11.EndOfMessage())
        self._writer.write(b"".join(http.send(event) or b"" for event in events))
        await self._writer.drain()
        head = await self._event()
        while isinstance(head, h11.InformationalResponse):
            head = await self._event()
        if not isinstance(head, h11.Response):
            raise h11.RemoteProtocolError("the connection ended before an answer")
        content = bytearray()
        while isinstance(event := await self._event(), h11.Data):
            content += event.data
            if len(content) > _MAX_ANSWER_BYTES:
                raise h11.RemoteProtocolError(f"an answer of more than {_MAX_ANSWER_BYTES} bytes")
        told = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
        return Answer(head.status_code, told, bytes(content))

    def is_at_rest(self) -> bool:
        """Tell whether a further request may follow; then the line is ready for it."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def close(self) -> None:
        self._writer.close()

    async def _event(self) -> object:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(await self._reader.read(_PIECE_BYTES))


async def _connected(scheme: str, host: str, port: int | None) -> _Line:
    trust = ssl.create_default_context() if scheme == "https" else None
    async with asyncio.timeout(_CONNECT_S):
        line = await asyncio.open_connection(host, port or (443 if trust else 80), ssl=trust)
    return _Line(*line)
