"""How a test ended, and whether what it gave is enough: one judgement for both directions.

NDT7 wants the end of a connection, in whatever way, to be a warning and not a failure. It is one as long as the test
had run for `MIN_USABLE_S`; before that, what was seen is the slow start of TCP and not the link.
"""

from typing import Final

from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.ndt7.session import Server, Session
from mektep_wire import FailureKind, StopReason

MIN_USABLE_S: Final = 1.0
"""How much measured time a test needs that the server or the network ended before we would have."""

_WHOLE_RATIO: Final = 0.95


def judge_ending(session: Session, reason: StopReason | None, stopped_s: float, usable_s: float) -> StopReason:
    """Return why the test ended; raises EngineError where it ended too early to say anything.

    `reason` is our own, None where the server or the network ended it. `stopped_s` is when the transfer ended,
    `usable_s` until when there are measured bytes. A test that was all but whole counts as such, whoever ended it;
    only a connection that had fallen silent, and stayed so when we said farewell, is lost even then.
    """
    is_whole = reason is not None or stopped_s >= _WHOLE_RATIO * session.limits.max_duration_s
    if is_whole and session.server is not Server.SILENT:
        return reason or StopReason.FULL_LENGTH
    if usable_s >= MIN_USABLE_S:
        is_closed = session.server in {Server.CLOSED, Server.GONE}
        return StopReason.SERVER_CLOSED if is_closed else StopReason.CONNECTION_LOST
    raise _too_early(session, stopped_s)


def _too_early(session: Session, stopped_s: float) -> EngineError:
    said = f" ({session.trouble})" if session.trouble else ""
    if session.server in {Server.CLOSED, Server.GONE}:
        return EngineError(FailureKind.CLOSED_EARLY, f"the server ended the test after {stopped_s:.1f} s{said}")
    if session.server is Server.LOST:
        return EngineError(session.lost_kind, f"the connection broke after {stopped_s:.1f} s{said}")
    silent_s = stopped_s - (session.moved_s - session.began_s)
    detail = f"nothing moved any more for {silent_s:.1f} s, {stopped_s:.1f} s into the test"
    return EngineError(FailureKind.STALLED, detail)
