"""Whether the line is quiet enough to measure.

The thresholds are those of the FCC's Measuring Broadband America, 64 kbit/s down and 32 kbit/s up over ten seconds, or
one hundredth of the line where that is more: on a fast line they would never be kept, and a hundredth of it changes no
result by more than that.
"""

from enum import StrEnum

import msgspec

from mektep_agent.politeness.cross_traffic import Rates
from mektep_wire import Assignment

LOOK_S = 10.0
FCC_DOWN_MBPS = 0.064
FCC_UP_MBPS = 0.032
LINE_SHARE_RATIO = 0.01


class Busy(StrEnum):
    """What shows that others use the line."""

    TRAFFIC = "traffic"
    GATEWAY_RTT = "gateway_rtt"
    ECHO_RTT = "echo_rtt"


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic of others up to which the line counts as quiet."""

    down_mbps: float = FCC_DOWN_MBPS
    up_mbps: float = FCC_UP_MBPS


def thresholds_of(assignment: Assignment) -> Thresholds:
    """Return the thresholds for the line that is contracted, or for the norm where the contract is not known."""
    down_mbps = assignment.contracted_download_mbps or assignment.norm_mbps or 0.0
    up_mbps = assignment.contracted_upload_mbps or down_mbps
    return Thresholds(
        down_mbps=max(FCC_DOWN_MBPS, LINE_SHARE_RATIO * down_mbps),
        up_mbps=max(FCC_UP_MBPS, LINE_SHARE_RATIO * up_mbps),
    )


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What ten seconds of looking showed; None where it is not known."""

    rates: Rates | None = None
    is_gateway_inflated: bool | None = None
    is_echo_inflated: bool | None = None


def busy_by(look: Look, thresholds: Thresholds) -> tuple[Busy, ...]:
    """Return what shows that the line is busy; nothing where all is quiet or nothing is known."""
    rates = look.rates
    found = []
    if rates is not None and (rates.received_mbps > thresholds.down_mbps or rates.sent_mbps > thresholds.up_mbps):
        found.append(Busy.TRAFFIC)
    if look.is_gateway_inflated:
        found.append(Busy.GATEWAY_RTT)
    if look.is_echo_inflated:
        found.append(Busy.ECHO_RTT)
    return tuple(found)
