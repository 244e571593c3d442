"""NDT7 download: the server fills the link, we count what arrives."""

from typing import Final

from mektep_agent.engines.engine import EngineError, StopRule
from mektep_agent.engines.ndt7.ending import judge_ending
from mektep_agent.engines.ndt7.gather import Gather
from mektep_agent.engines.ndt7.session import Server, Session
from mektep_agent.engines.ndt7.stream import READ, WRITE
from mektep_agent.sample import Point, ThroughputSample
from mektep_wire import Direction, FailureKind, StopReason

_SMALLEST_MESSAGE_BYTES: Final = 1 << 10
_HASTE_S: Final = 0.02
_NOTHING: Final = memoryview(b"")


def run_download(session: Session, stop: StopRule) -> ThroughputSample:
    """Read until a limit, `stop` or the server ends the test, then close; raises EngineError where it gave no value.

    Points are of payload, of text messages too, since they used the link as well; the last is the last byte's where
    the connection was lost, and the moment of stopping else.
    """
    points: list[Point] = []
    reading = _Reading(session)
    reason: StopReason | None = None
    while session.server is Server.OPEN and reason is None:
        session.receive()
        now_s = session.now_s()
        reason = session.cap_reached(session.stream.received_bytes)
        # A point is to count all that has come by then, unless reading cannot keep up.
        if session.is_drained or now_s >= session.next_look_s + _HASTE_S:
            if session.is_look_due(now_s):
                segments_count = session.stream.counters().data_segments_received
                points.append(Point(now_s - session.began_s, session.reader.data_bytes, segments_count))
                reason = reason or stop.decide(points)
                reading.look(now_s)
            reason = reason or session.end_reached(now_s)
            if reason is None:
                reading.wait()
    stopped_s = session.now_s() - session.began_s
    total_bytes = session.reader.data_bytes
    segments_count = session.stream.counters().data_segments_received
    moved_s = session.last_arrival_s() - session.began_s
    is_cut = reason is None and session.server is not Server.CLOSED
    session.finish(_NOTHING)
    usable_s = moved_s if session.reader.binary_bytes >= _SMALLEST_MESSAGE_BYTES else 0.0
    reason = judge_ending(session, reason, stopped_s, usable_s)
    _check_load(session, stopped_s)
    end_s = moved_s if is_cut or session.server is Server.SILENT else stopped_s
    spent = session.stream.link_bytes()
    return ThroughputSample(
        direction=Direction.DOWNLOAD,
        points=(*(point for point in points if point.elapsed_s < end_s), Point(end_s, total_bytes, segments_count)),
        duration_s=end_s,
        bytes_sent=spent.sent,
        bytes_received=spent.received,
        stop_reason=reason,
        tcp=session.server_tcp,
    )


class _Reading:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._gather = Gather()
        self._seen_bytes = 0
        self._looked_s = session.began_s

    def look(self, now_s: float) -> None:
        """Set the mark for what is let gather until the next look."""
        came_bytes = self._session.stream.received_bytes - self._seen_bytes
        self._seen_bytes = self._session.stream.received_bytes
        in_s, self._looked_s = now_s - self._looked_s, now_s
        self._session.stream.let_gather(self._gather.mark_bytes(came_bytes, in_s))

    def wait(self) -> None:
        """Send what is due; where all that was there has been read, wait for more, until the next look at most."""
        session = self._session
        if session.has_pending:
            session.send_pending()
        if session.is_drained and session.server is Server.OPEN:
            events = READ | WRITE if session.has_pending else READ
            session.stream.wait(events, min(session.next_look_s, session.end_s))


def _check_load(session: Session, stopped_s: float) -> None:
    if session.reader.binary_bytes >= _SMALLEST_MESSAGE_BYTES:
        return
    if session.reader.data_bytes >= _SMALLEST_MESSAGE_BYTES and not session.reader.binary_bytes:
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server sent text, but no load")
    detail = f"only {session.reader.data_bytes} bytes came in {stopped_s:.1f} s"
    raise EngineError(FailureKind.STALLED, detail)
