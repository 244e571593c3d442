"""Why a run was slow: this computer first, then the school's network, then the line, then the other end. Pure.

A link that limits a test has a queue that fills, so the round trip grows under load from that link on and not before
it. Where nothing fills and nothing is lost, no link on the way was the limit. Blame needs a part that was seen to be
good on this side of it: without the gateway's round trips under load nobody behind it is named.
"""

from typing import Final

from mektep_agent.probes.cause.finding import Finding
from mektep_wire import Access, CauseReason, Evidence, Seen, Trips, Vpn

BUSY_RATIO: Final = 0.9
NEAR_RATIO: Final = 0.8
"""A test that came so near to what a port is set to was limited by it."""
RADIO_GOODPUT_RATIO: Final = 0.6
"""What TCP gets of a Wi-Fi rate at best, as a rule: half-duplex air, preambles and acknowledgements take the rest."""
NEAR_RADIO_RATIO: Final = 0.35
WEAK_DBM: Final = -75.0
OTHERS_LEAST_RATIO: Final = 0.1
"""What other programs moved, in parts of what was expected, before it counts."""
WINDOW_RATIO: Final = 0.5
FULL_MS: Final = 10.0
"""Growth of round trips, from idle median to second longest under load, by which a queue is told from chance."""
LEAST_COUNT: Final = 3
LEAST_GATEWAY_COUNT: Final = 5
GATEWAY_LOST_COUNT: Final = 3
GATEWAY_LOST_RATIO: Final = 0.03
RESENT_RATIO: Final = 0.01
OWN_PART_RATIO: Final = 0.5
"""Of the whole growth, what must be on this side of the gateway for the queue to be there."""
NEAR_PART_RATIO: Final = 0.3
"""Of the whole growth, what must be on this side of a first router for the queue to be the provider's."""


def why_slow(finding: Finding) -> CauseReason:
    """Return the reason for a slow run; raises ValueError for a run that was held against nothing."""
    if finding.value_mbps is None or finding.evidence.expected_mbps is None:
        raise ValueError("a slow run has a value, and what was expected of it")
    return (
        _own(finding, finding.value_mbps, finding.evidence.expected_mbps)
        or _inside(finding, finding.value_mbps, finding.evidence.expected_mbps)
        or _outside(finding)
    )


def _own(finding: Finding, value_mbps: float, expected_mbps: float) -> CauseReason | None:
    """Return what of this computer limited the test."""
    conditions, seen = finding.conditions, finding.evidence
    cross_mbps = conditions.cross_traffic_mbps or 0.0
    if cross_mbps >= OTHERS_LEAST_RATIO * expected_mbps and value_mbps + cross_mbps >= NEAR_RATIO * expected_mbps:
        return CauseReason.OTHER_PROGRAMS
    if max(conditions.cpu_ratio or 0.0, seen.processor_busy_ratio or 0.0) >= BUSY_RATIO:
        return CauseReason.PROCESSOR_BUSY
    if conditions.vpn is Vpn.PRESENT:
        return CauseReason.TUNNEL
    if (seen.receiver_limited_ratio or 0.0) >= WINDOW_RATIO:
        return CauseReason.WINDOW
    return None


def _inside(finding: Finding, value_mbps: float, expected_mbps: float) -> CauseReason | None:
    """Return what of the school's own network limited the test."""
    seen, set_mbps = finding.evidence, finding.evidence.link_speed_mbps
    if set_mbps is not None:
        is_at_port = NEAR_RATIO * set_mbps <= value_mbps and set_mbps < expected_mbps
        if finding.conditions.access is Access.WIRED and is_at_port:
            return CauseReason.PORT_SPEED
        is_near = value_mbps >= NEAR_RADIO_RATIO * set_mbps
        if finding.is_by_radio and is_near and RADIO_GOODPUT_RATIO * set_mbps < expected_mbps:
            return CauseReason.WIFI_RATE
    if _loses(seen.gateway_loaded) or _loses(seen.gateway_idle):
        return CauseReason.GATEWAY_LOSES
    own_ms, whole_ms = (
        _growth_ms(seen.gateway_idle, seen.gateway_loaded),
        _growth_ms(seen.target_idle, seen.target_loaded),
    )
    if own_ms is not None and own_ms >= FULL_MS and (whole_ms is None or own_ms >= OWN_PART_RATIO * whole_ms):
        return CauseReason.FULL_BEFORE_GATEWAY
    is_weak = seen.wifi_signal_dbm is not None and seen.wifi_signal_dbm <= WEAK_DBM
    if finding.is_by_radio and is_weak and not _is_gateway_good(finding):
        return CauseReason.WIFI_WEAK
    return None


def _outside(finding: Finding) -> CauseReason:
    """Return what behind the gateway limited the test; the parts before it were not seen to."""
    seen = finding.evidence
    if not _is_gateway_good(finding):
        return CauseReason.NOT_SHOWN
    if finding.conditions.deferral_count:
        return CauseReason.LINE_IN_USE
    whole_ms, grown = _growth_ms(seen.target_idle, seen.target_loaded), _hop_growths_ms(seen)
    if grown and max(grown) >= max(FULL_MS, NEAR_PART_RATIO * (whole_ms or 0.0)):
        return CauseReason.FULL_BEHIND_GATEWAY
    if whole_ms is not None and whole_ms >= FULL_MS:
        return CauseReason.FULL_NEAR_TARGET if grown else CauseReason.NOT_SHOWN
    if seen.others is Seen.SILENT and seen.others_asked_count:
        return CauseReason.OTHERS_SUFFER_TOO
    if (finding.retransmission_ratio or 0.0) >= RESENT_RATIO:
        return CauseReason.LOST_BEHIND_GATEWAY
    return CauseReason.NOT_SHOWN if whole_ms is None else CauseReason.TARGET_SLOW


def _is_gateway_good(finding: Finding) -> bool:
    """Tell whether the way to the gateway was seen to be good while the test ran."""
    loaded = finding.evidence.gateway_loaded
    return loaded is not None and loaded.answered_count >= LEAST_GATEWAY_COUNT


def _hop_growths_ms(seen: Evidence) -> list[float]:
    """Return by how much the round trips to each router grew, at most by what those behind it grew.

    A queue delays all that comes after it. A router that is slow to answer for itself delays nothing else.
    """
    least_ms = _growth_ms(seen.target_idle, seen.target_loaded)
    grown: list[float] = []
    for idle, loaded in reversed(list(zip(seen.hops_idle, seen.hops_loaded, strict=False))):
        growth_ms = _growth_ms(idle, loaded)
        if growth_ms is not None:
            least_ms = growth_ms if least_ms is None else min(least_ms, growth_ms)
            grown.append(least_ms)
    return grown


def _growth_ms(idle: Trips | None, loaded: Trips | None) -> float | None:
    if idle is None or loaded is None or idle.median_ms is None or loaded.second_longest_ms is None:
        return None
    return None if loaded.answered_count < LEAST_COUNT else loaded.second_longest_ms - idle.median_ms


def _loses(trips: Trips | None) -> bool:
    """Tell whether more was lost than a router's neglect of echo requests explains; silence alone tells nothing."""
    if trips is None or not trips.answered_count:
        return False
    lost_count = trips.asked_count - trips.answered_count
    return lost_count >= GATEWAY_LOST_COUNT and lost_count >= GATEWAY_LOST_RATIO * trips.asked_count
