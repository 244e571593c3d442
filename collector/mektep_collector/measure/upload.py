"""NDT7 upload: the client fills the link, the server counts and says every now and then how much has arrived."""

from mektep_collector.measure.outcome import Outcome
from mektep_collector.measure.session import Client, Session


def run_upload(session: Session) -> Outcome:
    """Receive until the test's time is over or the client ends it; raises ChannelError."""
    while session.client is Client.OPEN:
        now_s = session.now_s()
        if now_s >= session.end_s:
            break
        if now_s >= session.next_tick_s:
            session.tick()
        if session.has_pending:
            session.send_pending()
        if session.receive() is None:
            until_s = min(session.next_tick_s, session.end_s)
            if session.has_pending:
                session.channel.wait_for_both(until_s)
            else:
                session.channel.wait_to_receive(until_s)
    return session.finish(Outcome.COMPLETED)
