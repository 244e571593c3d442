"""Plain HTTP beside NDT7 on the same port: LibreSpeed's and Mini's endpoints, and the test page that uses them.

One connection is one conversation of requests and answers in one thread. Each transfer has its time, each pause has
its time, and all of it together too.
"""

import os
from typing import Final, Protocol

import msgspec

from mektep_collector.clock import TimeSource
from mektep_collector.measure.admission import Admission, Place
from mektep_collector.measure.channel import Channel, ChannelError
from mektep_collector.measure.chunks import ChunkCounter, ChunkError
from mektep_collector.measure.counts import Counts
from mektep_collector.measure.handshake import Refusal, answer_request, refuse
from mektep_collector.measure.head import TurnedAwayError, read_head
from mektep_collector.measure.librespeed import librespeed_plan
from mektep_collector.measure.mini import mini_plan
from mektep_collector.measure.outcome import Turned
from mektep_collector.measure.request import Request, RequestError, parse_request
from mektep_collector.measure.web_body import BodyError
from mektep_collector.measure.web_plan import Answer, Fill, Plan, Take, encode_head
from mektep_wire import Direction

_BLOCK_BYTES: Final = 1 << 20
_BUFFER_BYTES: Final = 1 << 17
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_RETRY_AFTER_S: Final = 15


class WebTiming(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines of one connection. Tests hand in shorter ones."""

    transfer_s: float = 30.0
    """One transfer: longer than any client's test of a direction."""
    idle_s: float = 10.0
    """From the end of an answer to the whole of the next request."""
    conversation_s: float = 180.0
    """Everything on one connection."""
    linger_s: float = 1.0
    """How long a client that is told to go may take to read so."""


class Pages(Protocol):
    """The pages for people that this server shows."""

    def answer(self, request: Request) -> Answer | None:
        """Return the page that is asked for, None where there is none at that path."""
        ...


class NoPages:
    """A measuring server without pages."""

    def answer(self, request: Request) -> Answer | None:
        """Return None."""
        return None


class WebServer:
    """Answers plain HTTP, each connection in the thread that hands it over. Keeps nothing of one after its end."""

    def __init__(
        self,
        pages: Pages,
        admission: Admission,
        counts: Counts,
        time: TimeSource,
        timing: WebTiming | None = None,
    ) -> None:
        self._pages = pages
        self._admission = admission
        self._counts = counts
        self._time = time
        self._timing = timing or WebTiming()
        self._block = memoryview(os.urandom(_BLOCK_BYTES))

    def answers(self, head: bytes) -> bool:
        """Tell whether the request in `head` asks for something of this server."""
        try:
            request = parse_request(head)
            return self._plan(request, "0.0.0.0") is not None  # noqa: S104 (anybody: only the path matters here)
        except RequestError:
            return False
        except BodyError:
            return True

    def converse(self, channel: Channel, head: bytes, rest: bytes) -> None:
        """Answer the request in `head`, then those that follow, until either side ends the connection.

        `rest` is what came behind the head. Raises TurnedAwayError, ChannelError. The channel is the caller's to close.
        """
        until_s = self._time.monotonic_s() + self._timing.conversation_s
        try:
            client = str(channel.socket.getpeername()[0])
        except OSError as error:
            raise ChannelError(str(error)) from error
        while True:
            try:
                request = parse_request(head)
                plan = self._plan(request, client)
            except RequestError as error:
                request, plan = None, Answer(status=400, body=f"{error}\n".encode())
            except BodyError as error:
                request, plan = None, error.answer
            if plan is None:
                raise TurnedAwayError(Turned.REFUSED, _other(head))
            # Where a body in chunks ends in what was read is not worth knowing: such a connection is not used again.
            is_chunked = isinstance(plan, Take) and plan.size_bytes is None
            stays = request is not None and not is_chunked and "close" not in request.tokens("connection")
            if not self._perform(channel, request, plan, rest, stays):
                self._see_off(channel)
                return
            carried = plan.size_bytes if isinstance(plan, Take) else 0
            begin = rest[carried:]
            try:
                head, rest = read_head(channel, self._time, min(until_s, self._now_s() + self._timing.idle_s), begin)
            except TurnedAwayError as turned:
                if begin or turned.reason not in {Turned.CONNECTION_LOST, Turned.TIMED_OUT}:
                    raise
                return  # nothing more was wanted

    def _plan(self, request: Request, client: str) -> Plan | None:
        return librespeed_plan(request, client) or mini_plan(request) or self._pages.answer(request)

    def _now_s(self) -> float:
        return self._time.monotonic_s()

    def _perform(self, channel: Channel, request: Request | None, plan: Plan, rest: bytes, stays: bool) -> bool:
        """Do as planned; return whether the connection is good for a further request."""
        until_s = self._now_s() + self._timing.transfer_s
        if isinstance(plan, Answer):
            return self._say(channel, plan, stays, until_s) and stays
        if isinstance(plan, Take) and plan.size_bytes == 0:
            return self._say(channel, plan.answer, stays, until_s) and stays
        with self._admission.place() as place:
            if place is Place.TAKEN:
                text = f"All places for tests are taken; come again in {_RETRY_AFTER_S} seconds.\n"
                busy = Answer(status=503, body=text.encode(), headers=(("Retry-After", str(_RETRY_AFTER_S)),))
                self._counts.turned(Turned.BUSY)
                self._say(channel, busy, False, until_s)
                return False
            if isinstance(plan, Fill):
                direction = Direction.DOWNLOAD
                moved_bytes, done = self._fill(channel, plan, stays, until_s)
            else:
                direction = Direction.UPLOAD
                moved_bytes, done = self._take(channel, request, plan, rest, stays, until_s)
            self._counts.web_transfer_ended(direction, moved_bytes)
        return done and stays

    def _fill(self, channel: Channel, plan: Fill, stays: bool, until_s: float) -> tuple[int, bool]:
        head = encode_head(200, plan.media_type, plan.size_bytes, plan.headers, _connection(stays))
        if not channel.send_all(head, until_s):
            return 0, False
        sent_bytes = 0
        try:
            while sent_bytes < plan.size_bytes:
                piece = self._block[: min(_BLOCK_BYTES, plan.size_bytes - sent_bytes)]
                if not channel.send_all(piece, until_s):
                    return sent_bytes, False
                sent_bytes += len(piece)
        except ChannelError:
            return sent_bytes, False  # the client has had enough, which is how its tests end
        return sent_bytes, True

    def _take(
        self, channel: Channel, request: Request | None, plan: Take, rest: bytes, stays: bool, until_s: float
    ) -> tuple[int, bool]:
        if request is not None and request.headers.get("expect", "").lower() == "100-continue":
            channel.send_all(_CONTINUE, until_s)
        sink = ChunkCounter() if plan.size_bytes is None else _Counted(plan.size_bytes)
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        fresh = memoryview(rest)
        try:
            while True:
                sink.feed(fresh)
                if sink.is_done:
                    return sink.payload_bytes, self._say(channel, plan.answer, stays, until_s)
                # No more than the body: what comes behind it is the next request.
                left_bytes = _BUFFER_BYTES if plan.size_bytes is None else plan.size_bytes - sink.payload_bytes
                count = channel.receive_into(buffer[:left_bytes])
                if count == 0 or (count is None and self._now_s() >= until_s):
                    return sink.payload_bytes, False
                if count is None:
                    channel.wait_to_receive(until_s)
                fresh = buffer[: count or 0]
        except (ChannelError, ChunkError):
            return sink.payload_bytes, False

    def _say(self, channel: Channel, answer: Answer, stays: bool, until_s: float) -> bool:
        head = encode_head(answer.status, answer.media_type, len(answer.body), answer.headers, _connection(stays))
        return channel.send_all(head + answer.body, until_s)

    def _see_off(self, channel: Channel) -> None:
        """End the stream so that the answer is read: closing over unread bytes would reset the connection."""
        until_s = self._now_s() + self._timing.linger_s
        channel.finish_sending()
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        try:
            while self._now_s() < until_s:
                count = channel.receive_into(buffer)
                if count == 0:
                    return
                if count is None:
                    channel.wait_to_receive(until_s)
        except ChannelError:
            return  # the client did not want to know


class _Counted:
    """A body that said its length."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self.payload_bytes = 0

    @property
    def is_done(self) -> bool:
        return self.payload_bytes >= self._size_bytes

    def feed(self, data: memoryview) -> None:
        self.payload_bytes = min(self.payload_bytes + len(data), self._size_bytes)


def _other(head: bytes) -> Refusal:
    """Return what the NDT7 side says to a request that comes behind others; a test has a connection of its own."""
    answer = answer_request(head)
    return answer if isinstance(answer, Refusal) else refuse(400, "A test begins on a connection of its own.\n")


def _connection(stays: bool) -> str:
    return "keep-alive" if stays else "close"
