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
_NOTHING: Final = memoryview(b"")


def run_download(session: Session, stop: StopRule) -> ThroughputSample:
    """Read until a limit, `stop` or the server ends the test, then close; raises EngineError where it gave no value.

    Points are of payload, of text messages too, since they used the link as well; the last is the last byte's where
    the connection was lost, and the moment of stopping else.
    """
    points: list[Point] = []
    reading = _Reading(session)
    reason: StopReason | None = None
    while session.server is Server.OPEN:
        now_s = session.now_s()
        if session.is_look_due(now_s):
            points.append(Point(now_s - session.began_s, session.reader.data_bytes))
            reason = stop.decide(points)
            reading.look()
        reason = reason or session.limit_reached(now_s, session.stream.received_bytes)
        if reason is not None:
            break
        reading.read(now_s)
    stopped_s = session.now_s() - session.began_s
    total_bytes = session.reader.data_bytes
    moved_s = session.moved_s - session.began_s
    is_cut = reason is None and session.server is not Server.CLOSED
    session.finish(_NOTHING)
    usable_s = moved_s if session.reader.binary_bytes >= _SMALLEST_MESSAGE_BYTES else 0.0
    reason = judge_ending(session, reason, stopped_s, usable_s)
    _check_load(session, stopped_s)
    end_s = moved_s if is_cut or session.server is Server.SILENT else stopped_s
    spent = session.stream.link_bytes()
    return ThroughputSample(
        direction=Direction.DOWNLOAD,
        points=(*(point for point in points if point.elapsed_s < end_s), Point(end_s, total_bytes)),
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
        self._gathered_bytes = 0
        self._buffer_bytes = session.stream.receive_buffer_bytes()

    def look(self) -> None:
        """Note how large the system's receive buffer has become."""
        self._buffer_bytes = self._session.stream.receive_buffer_bytes()

    def read(self, now_s: float) -> None:
        """Take in what is there; where that was all, wait for more and let it gather, until the next look at most."""
        session = self._session
        if session.has_pending:
            session.send_pending()
        count = session.receive()
        if count:
            self._gathered_bytes += count
        if session.server is not Server.OPEN or not session.is_drained:
            return
        until_s = min(session.next_look_s, session.end_s)
        if count is None and not session.stream.wait(READ | WRITE if session.has_pending else READ, until_s):
            return
        pause_s = self._gather.next_pause_s(self._gathered_bytes, self._buffer_bytes, now_s - session.began_s)
        self._gathered_bytes = 0
        session.stream.pause(pause_s)


def _check_load(session: Session, stopped_s: float) -> None:
    if session.reader.binary_bytes >= _SMALLEST_MESSAGE_BYTES:
        return
    if session.reader.data_bytes >= _SMALLEST_MESSAGE_BYTES and not session.reader.binary_bytes:
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server sent text, but no load")
    detail = f"only {session.reader.data_bytes} bytes came in {stopped_s:.1f} s"
    raise EngineError(FailureKind.STALLED, detail)
