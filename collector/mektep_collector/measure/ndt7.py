"""One connection to a measuring port, from its first byte to its end: request, answer, test, closing.

What is plain HTTP is handed to the web server beside it.
"""

import logging
import math
import random
import socket
import ssl
from uuid import uuid4

from mektep_collector.clock import TimeSource
from mektep_collector.measure.admission import Admission, Place
from mektep_collector.measure.channel import Channel, ChannelError
from mektep_collector.measure.counts import Counts
from mektep_collector.measure.download import run_download
from mektep_collector.measure.handshake import Refusal, Upgrade, answer_request, refuse
from mektep_collector.measure.head import TurnedAwayError, read_head
from mektep_collector.measure.measurement import ConnectionInfo, format_address
from mektep_collector.measure.outcome import Outcome, Turned
from mektep_collector.measure.session import Session
from mektep_collector.measure.specification import MAX_REQUEST_HEAD_BYTES, Timing
from mektep_collector.measure.upload import run_upload
from mektep_collector.measure.web import WebServer
from mektep_wire import Direction

_LOG = logging.getLogger(__name__)


class Ndt7Server:
    """Serves connections, each in the thread that hands it over. Keeps nothing of one after its end."""

    def __init__(
        self,
        load: tuple[bytes, ...],
        admission: Admission,
        counts: Counts,
        timing: Timing,
        time: TimeSource,
        chance: random.Random,
        web: WebServer | None = None,
    ) -> None:
        self._load = load
        self._timing = timing
        self._admission = admission
        self._counts = counts
        self._time = time
        self._chance = chance
        self._web = web

    def serve(self, channel: Channel, tls: ssl.SSLContext | None) -> None:
        """Serve one connection to its end and give its socket back, whatever happens. Blocks."""
        try:
            self._serve(channel, tls)
        except TurnedAwayError as turned:
            self._counts.turned(turned.reason)
            self._dismiss(channel, turned.refusal)
        except ChannelError:
            self._counts.turned(Turned.CONNECTION_LOST)
            channel.abort()
        finally:
            channel.close()

    def _serve(self, channel: Channel, tls: ssl.SSLContext | None) -> None:
        until_s = self._time.monotonic_s() + self._timing.handshake_timeout_s
        if tls is not None:
            try:
                channel.handshake_tls(tls, until_s)
            except ChannelError:
                raise TurnedAwayError(Turned.TLS_FAILED) from None
        head, rest = read_head(channel, self._time, until_s)
        if self._web is not None and self._web.answers(head):
            self._web.converse(channel, head, rest)
            return
        request = answer_request(head)
        if isinstance(request, Refusal):
            raise TurnedAwayError(Turned.FRONT_PAGE if request.status == 200 else Turned.REFUSED, request)
        with self._admission.place() as place:
            if place is Place.TAKEN:
                retry_after_s = math.ceil(self._timing.max_runtime_s)
                text = f"All places for tests are taken; come again in {retry_after_s} seconds.\n"
                raise TurnedAwayError(Turned.BUSY, refuse(503, text, {"Retry-After": str(retry_after_s)}))
            if not channel.send_all(request.answer, until_s):
                raise TurnedAwayError(Turned.TIMED_OUT)
            self._test(channel, request, rest)

    def _test(self, channel: Channel, request: Upgrade, rest: bytes) -> None:
        connection = channel.socket
        try:
            # Measurements are small and must not wait for more to send.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            facts = ConnectionInfo(
                client=format_address(connection.getpeername()[:2]),
                server=format_address(connection.getsockname()[:2]),
                uuid=str(uuid4()),
                started_at=self._time.now(),
            )
        except OSError:
            raise TurnedAwayError(Turned.CONNECTION_LOST) from None
        session = Session(channel, facts, request.direction, self._timing, self._time, self._chance)
        self._counts.test_began(request.direction)
        outcome = Outcome.CONNECTION_LOST
        try:
            session.take(memoryview(rest))
            outcome = self._run(session, request)
        finally:
            self._counts.test_ended(request.direction, outcome, session.payload_bytes)
            _LOG.info(
                "ndt7_test_ended",
                extra={"uuid": facts.uuid, "direction": request.direction.value, "outcome": outcome.value},
            )
        if outcome in {Outcome.CLOSING_UNANSWERED, Outcome.TIMED_OUT, Outcome.CONNECTION_LOST}:
            channel.abort()

    def _run(self, session: Session, request: Upgrade) -> Outcome:
        try:
            if request.direction is Direction.DOWNLOAD:
                return run_download(session, self._load, request.stop)
            return run_upload(session)
        except ChannelError:
            return Outcome.CONNECTION_LOST

    def _dismiss(self, channel: Channel, refusal: Refusal | None) -> None:
        """Send a refusal and let the client read it: closing over unread bytes would reset the connection."""
        if refusal is None:
            return
        until_s = self._time.monotonic_s() + self._timing.linger_s
        try:
            if not channel.send_all(refusal.answer, until_s):
                return
            channel.finish_sending()
            scratch = memoryview(bytearray(MAX_REQUEST_HEAD_BYTES))
            while self._time.monotonic_s() < until_s:
                count = channel.receive_into(scratch)
                if count == 0:
                    return
                if count is None:
                    channel.wait_to_receive(until_s)
        except ChannelError:
            return  # the client did not want to know
