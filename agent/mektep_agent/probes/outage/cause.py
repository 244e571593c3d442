"""From what was seen during an outage to its cause: pure."""

import msgspec

from mektep_wire import OutageCause, Seen

REACHED = frozenset({Seen.ANSWERED, Seen.REFUSED})


class Looks(msgspec.Struct, frozen=True, kw_only=True):
    """Looks at the parts of the path, from the inside out.

    `names` is the resolver's answer for a name; `service` the measuring server at an address that is known, `others`
    the best of what other hosts showed, of which so many were asked and so many answered. `gateway_answers` says
    whether this gateway ever answered: some never do.
    """

    gateway: Seen
    gateway_answers: bool
    names: Seen
    service: Seen
    others: Seen
    others_asked_count: int = 0
    others_answered_count: int = 0


def cause_of(looks: Looks) -> OutageCause:
    """Return the cause; `UNKNOWN` rather than a guess, as a provider may be held to it.

    That the measuring server is away is told from a dead line only by somebody else who answers.
    """
    if looks.gateway is Seen.ABSENT:
        return OutageCause.LAN
    if looks.service in REACHED or looks.others in REACHED:
        if looks.names is Seen.SILENT and (looks.service is Seen.ANSWERED or looks.others in REACHED):
            return OutageCause.DNS
        return OutageCause.SERVICE
    if looks.gateway in REACHED:
        return OutageCause.PROVIDER if looks.others is Seen.SILENT else OutageCause.UNKNOWN
    return OutageCause.LAN if looks.gateway_answers else OutageCause.UNKNOWN
