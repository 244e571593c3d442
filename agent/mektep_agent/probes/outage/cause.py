"""From what was seen during an outage to its cause: pure."""

from enum import StrEnum

import msgspec

from mektep_wire import OutageCause


class Seen(StrEnum):
    """What one look showed."""

    ANSWERED = "answered"
    SILENT = "silent"
    """Asked, and nothing came."""
    REFUSED = "refused"
    """The host answered, the port is closed."""
    ABSENT = "absent"
    """There is nothing to ask: no route, no name, no address known."""


REACHED = frozenset({Seen.ANSWERED, Seen.REFUSED})


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Looks at the parts of the path, from the inside out.

    `names` is the resolver's answer for a name; `service` the measuring server at an address that is known, `others`
    the best of what other hosts showed. `gateway_answers` says whether this gateway ever answered: some never do.
    """

    gateway: Seen
    gateway_answers: bool
    names: Seen
    service: Seen
    others: Seen


def cause_of(evidence: Evidence) -> OutageCause:
    """Return the cause; `UNKNOWN` rather than a guess, as a provider may be held to it.

    That the measuring server is away is told from a dead line only by somebody else who answers.
    """
    if evidence.gateway is Seen.ABSENT:
        return OutageCause.LAN
    if evidence.service in REACHED or evidence.others in REACHED:
        if evidence.names is Seen.SILENT and (evidence.service is Seen.ANSWERED or evidence.others in REACHED):
            return OutageCause.DNS
        return OutageCause.SERVICE
    if evidence.gateway in REACHED:
        return OutageCause.PROVIDER if evidence.others is Seen.SILENT else OutageCause.UNKNOWN
    return OutageCause.LAN if evidence.gateway_answers else OutageCause.UNKNOWN
