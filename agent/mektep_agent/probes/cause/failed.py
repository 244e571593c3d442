"""Why a run failed: from the inside out, the first part of the path that was seen to fail. Pure."""

from typing import Final

from mektep_agent.probes.cause.finding import Finding
from mektep_wire import CauseReason, FailureKind, Seen, Trips

REACHED: Final = frozenset({Seen.ANSWERED, Seen.REFUSED})
LOST_RATIO: Final = 0.3
"""A way to the gateway that loses so much fails tests; far more than a busy router's neglect of echo requests."""
_OWN: Final = frozenset({FailureKind.ENGINE_UNAVAILABLE, FailureKind.INTERRUPTED})
_BETWEEN: Final = frozenset(
    {
        FailureKind.CAPTIVE_PORTAL,
        FailureKind.PROXY_ERROR,
        FailureKind.TLS_CERTIFICATE,
        FailureKind.TLS_ERROR,
        FailureKind.DNS_BOGUS,
        FailureKind.HTTP_LEGALLY_BLOCKED,
    }
)
_REFUSALS: Final = frozenset(
    {
        FailureKind.CONNECTION_REFUSED,
        FailureKind.HANDSHAKE_REFUSED,
        FailureKind.PROTOCOL_ERROR,
        FailureKind.HTTP_SERVER_ERROR,
        FailureKind.HTTP_FORBIDDEN,
        FailureKind.HTTP_CLIENT_ERROR,
        FailureKind.HTTP_REDIRECT,
        FailureKind.HTTP_UNEXPECTED_CONTENT,
    }
)
_NAMELESS: Final = frozenset({FailureKind.DNS_TIMEOUT, FailureKind.DNS_ERROR})


def why_failed(finding: Finding) -> CauseReason:
    """Return the reason for a failed run."""
    seen, kind = finding.evidence, finding.failure
    if kind in _OWN:
        return CauseReason.CANNOT_MEASURE
    if seen.gateway is Seen.ABSENT or kind is FailureKind.NO_INTERFACE:
        return CauseReason.NO_NETWORK
    if kind in _BETWEEN:
        return CauseReason.SOMETHING_BETWEEN
    is_beyond_reached = seen.target in REACHED or seen.others in REACHED
    if seen.gateway is Seen.SILENT and not is_beyond_reached:
        return CauseReason.GATEWAY_SILENT
    if _loses(seen.gateway_loaded) or _loses(seen.gateway_idle):
        return CauseReason.GATEWAY_LOSES
    if is_beyond_reached:
        return _why_target_failed(finding)
    if seen.gateway in REACHED and seen.others is Seen.SILENT:
        return CauseReason.NOTHING_BEYOND_GATEWAY
    return CauseReason.NOT_SHOWN


def _why_target_failed(finding: Finding) -> CauseReason:
    """Return the reason where the internet, or the target itself, can be reached."""
    seen, kind = finding.evidence, finding.failure
    if kind in _NAMELESS or seen.names is Seen.SILENT:
        return CauseReason.NAMES_NOT_RESOLVED if seen.names is not Seen.ANSWERED else CauseReason.OVER_ALREADY
    if kind in _REFUSALS or seen.target is Seen.REFUSED:
        return CauseReason.TARGET_REFUSES
    if kind is FailureKind.DNS_NXDOMAIN:
        return CauseReason.TARGET_ALONE
    if seen.target is Seen.ANSWERED:
        return CauseReason.OVER_ALREADY
    return CauseReason.TARGET_ALONE if seen.others in REACHED else CauseReason.NOT_SHOWN


def _loses(trips: Trips | None) -> bool:
    if trips is None or not trips.answered_count:
        return False
    return trips.asked_count - trips.answered_count >= LOST_RATIO * trips.asked_count
