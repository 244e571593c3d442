"""From the looks after a failed test to its cause."""

import pytest

from mektep_agent.probes.cause.finding import Finding
from mektep_agent.probes.cause.verdict import cause_of
from mektep_agent.probes.cause.words import WORDS
from mektep_wire import Access, Cause, CauseReason, Conditions, Evidence, FailureKind, Seen, Trips

UP, SILENT, REFUSED, ABSENT = Seen.ANSWERED, Seen.SILENT, Seen.REFUSED, Seen.ABSENT


def told(
    kind: FailureKind,
    gateway: Seen | None = UP,
    target: Seen | None = SILENT,
    others: Seen | None = UP,
    names: Seen | None = UP,
    access: Access = Access.WIRED,
    gateway_idle: Trips | None = None,
) -> tuple[Cause, CauseReason]:
    evidence = Evidence(gateway=gateway, target=target, others=others, names=names, gateway_idle=gateway_idle)
    found = cause_of(Finding(evidence=evidence, conditions=Conditions(access=access), failure=kind))
    return found.cause, found.reason


TIMEOUT = FailureKind.CONNECT_TIMEOUT


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (told(TIMEOUT, gateway=ABSENT, target=SILENT, others=SILENT), (Cause.LAN, CauseReason.NO_NETWORK)),
        (told(FailureKind.NO_INTERFACE, access=Access.WIFI), (Cause.WIFI, CauseReason.NO_NETWORK)),
        (told(TIMEOUT, gateway=SILENT, others=SILENT), (Cause.LAN, CauseReason.GATEWAY_SILENT)),
        (
            told(TIMEOUT, gateway=SILENT, others=SILENT, access=Access.WIFI),
            (Cause.WIFI, CauseReason.GATEWAY_SILENT),
        ),
        (told(TIMEOUT, others=SILENT), (Cause.PROVIDER, CauseReason.NOTHING_BEYOND_GATEWAY)),
        (told(TIMEOUT, gateway=None, others=SILENT), (Cause.UNKNOWN, CauseReason.NOT_SHOWN)),
        (told(TIMEOUT, others=ABSENT), (Cause.UNKNOWN, CauseReason.NOT_SHOWN)),
        (told(TIMEOUT), (Cause.TARGET, CauseReason.TARGET_ALONE)),
        (told(TIMEOUT, gateway=SILENT), (Cause.TARGET, CauseReason.TARGET_ALONE)),
        (told(FailureKind.DNS_NXDOMAIN, target=None), (Cause.TARGET, CauseReason.TARGET_ALONE)),
        (told(FailureKind.CONNECTION_REFUSED, target=REFUSED), (Cause.TARGET, CauseReason.TARGET_REFUSES)),
        (told(FailureKind.HTTP_SERVER_ERROR, target=None), (Cause.TARGET, CauseReason.TARGET_REFUSES)),
        (told(FailureKind.HANDSHAKE_REFUSED, target=UP), (Cause.TARGET, CauseReason.TARGET_REFUSES)),
        (told(FailureKind.STALLED, target=UP), (Cause.UNKNOWN, CauseReason.OVER_ALREADY)),
        (told(FailureKind.DNS_TIMEOUT, names=SILENT), (Cause.UNKNOWN, CauseReason.NAMES_NOT_RESOLVED)),
        (told(FailureKind.DNS_TIMEOUT, names=UP, target=UP), (Cause.UNKNOWN, CauseReason.OVER_ALREADY)),
        (told(FailureKind.CAPTIVE_PORTAL, target=UP), (Cause.UNKNOWN, CauseReason.SOMETHING_BETWEEN)),
        (told(FailureKind.ENGINE_UNAVAILABLE), (Cause.THIS_COMPUTER, CauseReason.CANNOT_MEASURE)),
        (told(FailureKind.INTERRUPTED), (Cause.THIS_COMPUTER, CauseReason.CANNOT_MEASURE)),
    ],
)
def test_a_failure_is_put_down_to_the_first_part_that_was_seen_to_fail(
    found: tuple[Cause, CauseReason], expected: tuple[Cause, CauseReason]
) -> None:
    assert found == expected


def test_a_way_to_the_gateway_that_loses_a_third_is_the_schools() -> None:
    lossy = Trips(asked_count=5, answered_count=3, median_ms=2.0, second_longest_ms=2.0)
    assert told(FailureKind.STALLED, target=UP, gateway_idle=lossy) == (Cause.LAN, CauseReason.GATEWAY_LOSES)


@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("gateway", [None, *Seen])
def test_every_failure_has_a_cause_and_words(kind: FailureKind, gateway: Seen | None) -> None:
    for target in (None, *Seen):
        cause, reason = told(kind, gateway=gateway, target=target, others=SILENT)
        assert WORDS[reason]
        if gateway not in {UP, REFUSED}:
            assert cause is not Cause.PROVIDER


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(CauseReason)
