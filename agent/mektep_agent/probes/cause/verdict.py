"""From a finding to a cause: pure. `UNKNOWN` rather than a guess, since somebody may be held to it."""

from typing import Final

from mektep_agent.probes.cause.failed import why_failed
from mektep_agent.probes.cause.finding import Finding
from mektep_agent.probes.cause.slow import why_slow
from mektep_wire import Cause, CauseReason, Diagnosis

SLOW_RATIO: Final = 0.8
"""The FCC's 80/80 rule and Giga's grading both take 80 % of a contract for kept."""
_BY_REASON: Final = {
    CauseReason.PORT_SPEED: Cause.LAN,
    CauseReason.WIFI_RATE: Cause.WIFI,
    CauseReason.WIFI_WEAK: Cause.WIFI,
    CauseReason.PROCESSOR_BUSY: Cause.THIS_COMPUTER,
    CauseReason.OTHER_PROGRAMS: Cause.THIS_COMPUTER,
    CauseReason.TUNNEL: Cause.THIS_COMPUTER,
    CauseReason.WINDOW: Cause.THIS_COMPUTER,
    CauseReason.CANNOT_MEASURE: Cause.THIS_COMPUTER,
    CauseReason.NOTHING_BEYOND_GATEWAY: Cause.PROVIDER,
    CauseReason.FULL_BEHIND_GATEWAY: Cause.PROVIDER,
    CauseReason.OTHERS_SUFFER_TOO: Cause.PROVIDER,
    CauseReason.TARGET_ALONE: Cause.TARGET,
    CauseReason.TARGET_REFUSES: Cause.TARGET,
    CauseReason.FULL_NEAR_TARGET: Cause.TARGET,
    CauseReason.TARGET_SLOW: Cause.TARGET,
    CauseReason.LINE_IN_USE: Cause.UNKNOWN,
    CauseReason.LOST_BEHIND_GATEWAY: Cause.UNKNOWN,
    CauseReason.NAMES_NOT_RESOLVED: Cause.UNKNOWN,
    CauseReason.SOMETHING_BETWEEN: Cause.UNKNOWN,
    CauseReason.OVER_ALREADY: Cause.UNKNOWN,
    CauseReason.NOT_SHOWN: Cause.UNKNOWN,
}
_BEFORE_GATEWAY: Final = frozenset(
    {
        CauseReason.NO_NETWORK,
        CauseReason.GATEWAY_SILENT,
        CauseReason.GATEWAY_LOSES,
        CauseReason.FULL_BEFORE_GATEWAY,
    }
)


def cause_of(finding: Finding) -> Diagnosis:
    """Return cause, reason and evidence of a failed or slow run."""
    reason = why_failed(finding) if finding.failure is not None else why_slow(finding)
    return Diagnosis(cause=_cause(reason, finding), reason=reason, evidence=finding.evidence)


def _cause(reason: CauseReason, finding: Finding) -> Cause:
    if reason in _BEFORE_GATEWAY:
        return Cause.WIFI if finding.is_by_radio else Cause.LAN
    return _BY_REASON[reason]


def is_slow(value_mbps: float, expected_mbps: float) -> bool:
    """Tell whether a speed is below `SLOW_RATIO` of what was expected."""
    return value_mbps < SLOW_RATIO * expected_mbps
