"""Each reason in words, for a technician at the school's computer. Pages say it in three languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mektep_wire import CauseReason

WORDS: Final[Mapping[CauseReason, str]] = MappingProxyType(
    {
        CauseReason.NO_NETWORK: "this computer has no network: check cable or Wi-Fi",
        CauseReason.GATEWAY_SILENT: "the school's router does not answer: check that it has power, and the cable to it",
        CauseReason.GATEWAY_LOSES: "packets are lost between this computer and the school's router",
        CauseReason.FULL_BEFORE_GATEWAY: "the way to the school's router is full: the limit is inside the school",
        CauseReason.PORT_SPEED: "the cable's port is set to less than the line should give: check cable and switch",
        CauseReason.WIFI_RATE: "the Wi-Fi's rate is less than the line should give: measure by cable",
        CauseReason.WIFI_WEAK: "the Wi-Fi's signal is weak: measure by cable or closer to the access point",
        CauseReason.PROCESSOR_BUSY: "this computer's processor was busy all the time",
        CauseReason.OTHER_PROGRAMS: "other programs of this computer used the line meanwhile",
        CauseReason.TUNNEL: "the test went through a tunnel (VPN) of this computer",
        CauseReason.WINDOW: "this computer's receive window held the sender back, not the line",
        CauseReason.CANNOT_MEASURE: "this computer could not run the test",
        CauseReason.LINE_IN_USE: "others at the school used the line: the test had waited for them in vain",
        CauseReason.NOTHING_BEYOND_GATEWAY: "the school's router answers, nobody behind it does",
        CauseReason.FULL_BEHIND_GATEWAY: "the line behind the school's router is full at this speed",
        CauseReason.OTHERS_SUFFER_TOO: "the way to the router is good, and other hosts cannot be reached either",
        CauseReason.TARGET_ALONE: "other hosts can be reached, this one cannot",
        CauseReason.TARGET_REFUSES: "this host answers, but does not do what was asked",
        CauseReason.FULL_NEAR_TARGET: "the way is full only behind the provider's first routers",
        CauseReason.TARGET_SLOW: "nothing on the way was full or lossy: the other end gave no more",
        CauseReason.LOST_BEHIND_GATEWAY: "packets are lost somewhere behind the school's router",
        CauseReason.NAMES_NOT_RESOLVED: "names are not resolved (DNS): it may be the router's or the provider's fault",
        CauseReason.SOMETHING_BETWEEN: "something on the way answered in place of the other end",
        CauseReason.OVER_ALREADY: "when it was looked at, everything worked again",
        CauseReason.NOT_SHOWN: "what could be seen shows nobody's fault",
    }
)
