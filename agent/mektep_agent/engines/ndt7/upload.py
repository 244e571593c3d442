"""NDT7 upload: we fill the link, the server says how much has arrived.

What a socket takes is not what arrives: on a slow link the system's buffers swallow seconds of it. So the points are
the server's own words. Only where a server says nothing at all do the kernel's acknowledgements stand in for them.
"""

import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from mektep_agent.engines.engine import EngineError, StopRule
from mektep_agent.engines.ndt7.ending import judge_ending
from mektep_agent.engines.ndt7.load import Load
from mektep_agent.engines.ndt7.session import Server, Session
from mektep_agent.engines.ndt7.stream import READ, WRITE, Stream
from mektep_agent.sample import Point, TcpCounters, ThroughputSample
from mektep_wire import Direction, FailureKind, StopReason

_SMALLEST_MESSAGE_BYTES: Final = 1 << 10
_NOTHING: Final = memoryview(b"")
_LEAST_UNSENT_BYTES: Final = 1 << 14
_MOST_UNSENT_BYTES: Final = 1 << 17


def run_upload(session: Session, load: Load, stop: StopRule) -> ThroughputSample:
    """Send until a limit, `stop` or the server ends the test, then close; raises EngineError where it gave no value."""
    upload = _Upload(session, load)
    reason: StopReason | None = None
    while session.server is Server.OPEN:
        now_s = session.now_s()
        if session.is_look_due(now_s):
            upload.look(now_s)
            reason = reason or stop.decide(upload.points())
        reason = reason or session.end_reached(now_s) or session.cap_reached(session.stream.sent_bytes)
        if reason is not None:
            break
        upload.send()
    stopped_s = session.now_s() - session.began_s
    moved_s = session.moved_s - session.began_s
    session.finish(upload.unfinished())
    points = upload.points()
    usable_s = points[-1].elapsed_s if points else 0.0
    reason = judge_ending(session, reason, stopped_s, usable_s)
    _check_points(session, points, stopped_s)
    spent = session.stream.link_bytes()
    return ThroughputSample(
        direction=Direction.UPLOAD,
        points=tuple(points),
        duration_s=moved_s if reason is StopReason.CONNECTION_LOST else stopped_s,
        bytes_sent=spent.sent,
        bytes_received=spent.received,
        stop_reason=reason,
        tcp=_counters(session),
    )


class _Upload:
    def __init__(self, session: Session, load: Load) -> None:
        self._session = session
        self._load = load
        self._rest = _NOTHING
        self._is_load = False
        self._acknowledged: list[Point] = []
        self._opening_bytes = session.stream.counters().bytes_acked or 0
        self._message_bytes = 0

    def send(self) -> None:
        """Send what the system takes now, take in what came, and wait for either if neither is there."""
        session = self._session
        if not self._rest:
            self._is_load = not session.has_pending
            self._rest = self._next_load() if self._is_load else session.take_pending()
        taken = session.send(self._rest)
        self._rest = self._rest[taken:]
        if self._is_load:
            session.sent_payload_bytes += taken
        session.receive()
        if self._rest and session.server is Server.OPEN:
            session.stream.wait(READ | WRITE, min(session.next_look_s, session.end_s))

    def look(self, now_s: float) -> None:
        """Note how much the server's kernel has acknowledged, where ours tells."""
        acknowledged = self._session.stream.counters().bytes_acked
        if acknowledged is not None:
            elapsed_s = now_s - self._session.began_s
            self._acknowledged.append(Point(elapsed_s, max(0, acknowledged - self._opening_bytes)))

    def points(self) -> Sequence[Point]:
        """Return what is known of what arrived: the server's word, else the acknowledgements.

        On a connection that is lost, acknowledgements end where they ceased to grow.
        """
        session = self._session
        if session.ledger.points or session.ledger.refused_count:
            return session.ledger.points
        if session.server in {Server.OPEN, Server.CLOSED}:
            return self._acknowledged
        grown = len(self._acknowledged)
        while grown > 1 and self._acknowledged[grown - 1].total_bytes == self._acknowledged[grown - 2].total_bytes:
            grown -= 1
        return self._acknowledged[:grown]

    def unfinished(self) -> memoryview:
        """Return what is left of a frame that has begun to go out."""
        return self._rest

    def _next_load(self) -> memoryview:
        frame = self._load.next_frame(self._session.sent_payload_bytes)
        if self._load.message_bytes != self._message_bytes:
            self._message_bytes = self._load.message_bytes
            _keep_little_unsent(self._session.stream, self._message_bytes)
        return frame


def _keep_little_unsent(stream: Stream, message_bytes: int) -> None:
    """Have the system hold about one message that is not on its way yet, so that answers and the end go out in time.

    A message is at most a sixteenth of what was sent, so this follows the link's rate; where a system has no such
    option, its own buffer stands.
    """
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        unsent_bytes = min(max(message_bytes, _LEAST_UNSENT_BYTES), _MOST_UNSENT_BYTES)
        with suppress(OSError):  # a connection that is gone shows it when it is used
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, unsent_bytes)


def _check_points(session: Session, points: Sequence[Point], stopped_s: float) -> None:
    if points and points[-1].total_bytes >= _SMALLEST_MESSAGE_BYTES:
        return
    refused_count = session.ledger.refused_count
    if refused_count:
        detail = f"all {refused_count} measurements of the server contradict themselves or what was sent"
        raise EngineError(FailureKind.PROTOCOL_ERROR, detail)
    if not points:
        detail = "the server sent no measurement, and this system does not tell what was acknowledged"
        raise EngineError(FailureKind.PROTOCOL_ERROR, detail)
    raise EngineError(FailureKind.STALLED, f"only {points[-1].total_bytes} bytes arrived in {stopped_s:.1f} s")


def _counters(session: Session) -> TcpCounters:
    """Return our own kernel's word, since it sent; the server's least round trip where ours knows none."""
    own = session.stream.counters()
    return TcpCounters(
        min_rtt_ms=own.min_rtt_us / 1e3 if own.min_rtt_us else session.server_tcp.min_rtt_ms,
        bytes_acked=own.bytes_acked,
        bytes_sent=own.bytes_sent,
        bytes_retransmitted=own.bytes_retransmitted,
    )
