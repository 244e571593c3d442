"""NDT7 upload: the client fills the link, the server counts and says every now and then how much has arrived."""

from mektep_collector.measure.outcome import Outcome
from mektep_collector.measure.session import RECEIVE_BUFFER_BYTES, Client, Session

_GATHERED_S = 0.005
"""How much of the load is read at once; without, each packet of a slow link would cost a wake-up of its own."""
_LATEST_S = 0.05
"""A closing frame is too short to be gathered for: it is looked for as often as this."""


def run_upload(session: Session) -> Outcome:
    """Receive until the test's time is over or the client ends it; raises ChannelError."""
    while session.client is Client.OPEN:
        now_s = session.now_s()
        if now_s >= session.end_s:
            break
        if now_s >= session.next_tick_s:
            session.tick()
            session.channel.gather(session.bytes_in(_GATHERED_S, 1, RECEIVE_BUFFER_BYTES))
        if session.has_pending:
            session.send_pending()
        if session.receive() is None:
            until_s = min(session.next_tick_s, session.end_s, now_s + _LATEST_S)
            if session.has_pending:
                session.channel.wait_for_both(until_s)
            else:
                session.channel.wait_to_receive(until_s)
    session.channel.gather(1)
    return session.finish(Outcome.COMPLETED)
