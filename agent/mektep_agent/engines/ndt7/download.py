"""NDT7 download: the server fills the link, we count what arrives."""

from typing import Final

from mektep_agent.engines.engine import EngineError, StopRule
from mektep_agent.engines.ndt7.ending import judge_ending
from mektep_agent.engines.ndt7.session import Server, Session
from mektep_agent.engines.ndt7.stream import READ, WRITE
from mektep_agent.sample import Point, ThroughputSample
from mektep_wire import Direction, FailureKind, StopReason

_SMALLEST_MESSAGE_BYTES: Final = 1 << 10
_NOTHING: Final = memoryview(b"")
_GATHER_RATIO: Final = 0.01
_GATHER_S: Final = 0.01


def run_download(session: Session, stop: StopRule) -> ThroughputSample:
    """Read until a limit, `stop` or the server ends the test, then close; raises EngineError where it gave no value.

    Points are of payload, of text messages too, since they used the link as well; the last is the last byte's where
    the connection was lost, and the moment of stopping else.
    """
    points: list[Point] = []
    reason: StopReason | None = None
    while reason is None and session.server is Server.OPEN:
        now_s = session.now_s()
        if session.is_look_due(now_s):
            points.append(Point(now_s - session.began_s, session.reader.data_bytes))
            reason = stop.decide(points)
        reason = reason or session.limit_reached(now_s, session.stream.received_bytes)
        if reason is None:
            _read(session, now_s)
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


def _read(session: Session, now_s: float) -> None:
    """Take in what is there, or wait for more until the next look.

    Reading each packet as it comes would cost more processor time than the transfer itself. So after a small read we
    let some gather, never longer than a hundredth of the test so far: the receive window opens meanwhile as it would.
    """
    if session.has_pending:
        session.send_pending()
    count = session.receive()
    if count is None:
        session.stream.wait(READ | WRITE if session.has_pending else READ, min(session.next_look_s, session.end_s))
    elif 0 < count < len(session.buffer) // 2:
        session.stream.gather(min(_GATHER_S, (now_s - session.began_s) * _GATHER_RATIO))


def _check_load(session: Session, stopped_s: float) -> None:
    if session.reader.binary_bytes >= _SMALLEST_MESSAGE_BYTES:
        return
    if session.reader.data_bytes >= _SMALLEST_MESSAGE_BYTES and not session.reader.binary_bytes:
        raise EngineError(FailureKind.PROTOCOL_ERROR, "the server sent text, but no load")
    detail = f"only {session.reader.data_bytes} bytes came in {stopped_s:.1f} s"
    raise EngineError(FailureKind.STALLED, detail)
