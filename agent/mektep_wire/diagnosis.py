"""Why a run was slow or failed: what was looked at around it, and which part of the path that speaks against.

The evidence travels with the verdict, so that a verdict can be derived again, by other rules too. It holds no address
and no name: of the path only round trips and losses, by distance.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec

MAX_HOPS = 4
"""Routers behind the gateway that are looked at."""

Trials = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Milliseconds = Annotated[float, msgspec.Meta(ge=0.0, le=600_000.0)]
Rate = Annotated[float, msgspec.Meta(ge=0.0, le=1_000_000.0)]
Dbm = Annotated[float, msgspec.Meta(ge=-150.0, le=0.0)]
Part = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Cause(StrEnum):
    """The part of the path that a slow or failed run is put down to."""

    LAN = "lan"
    """The school's own wiring or router."""
    WIFI = "wifi"
    """The radio between this computer and the school's network."""
    PROVIDER = "provider"
    """The line behind the school's gateway."""
    TARGET = "target"
    """The other end, or the way close to it: the rest of the internet can be reached as usual."""
    THIS_COMPUTER = "this_computer"
    """The computer that measured, or its other programs."""
    UNKNOWN = "unknown"
    """What was seen shows nobody's fault."""


class CauseReason(StrEnum):
    """What the verdict rests on; each belongs to the causes that its text names."""

    NO_NETWORK = "no_network"
    """No interface or no default route."""
    GATEWAY_SILENT = "gateway_silent"
    """The gateway, which answered before, answers nothing."""
    GATEWAY_LOSES = "gateway_loses"
    """Packets between this computer and its gateway are lost."""
    FULL_BEFORE_GATEWAY = "full_before_gateway"
    """Under load the round trip to the gateway itself grows: the queue is inside the school."""
    PORT_SPEED = "port_speed"
    """The cable's port is set to less than the line should give, and the test came near that."""
    WIFI_RATE = "wifi_rate"
    """The radio's rate is less than the line should give."""
    WIFI_WEAK = "wifi_weak"
    """The signal is weak, and nothing shows that the way to the gateway was good."""
    PROCESSOR_BUSY = "processor_busy"
    """The processor was busy nearly all the time."""
    OTHER_PROGRAMS = "other_programs"
    """Other programs of this computer used the line meanwhile."""
    TUNNEL = "tunnel"
    """The default route goes through a tunnel (VPN)."""
    WINDOW = "window"
    """This computer's receive window, and not the line, held the sender back."""
    CANNOT_MEASURE = "cannot_measure"
    """This computer lacks what the test needs, or slept in it."""
    LINE_IN_USE = "line_in_use"
    """Others at the school used the line: the test had been put off for it and ran at last all the same."""
    NOTHING_BEYOND_GATEWAY = "nothing_beyond_gateway"
    """The gateway answers, and nobody behind it."""
    FULL_BEHIND_GATEWAY = "full_behind_gateway"
    """Under load the round trip grows behind the gateway and not before it: the provider's line is full."""
    OTHERS_SUFFER_TOO = "others_suffer_too"
    """The gateway is good, and other targets suffer with this one."""
    TARGET_ALONE = "target_alone"
    """Others can be reached, the target cannot."""
    TARGET_REFUSES = "target_refuses"
    """The target answers, and does not do what was asked of it."""
    FULL_NEAR_TARGET = "full_near_target"
    """Under load the round trip grows only behind the provider's first routers."""
    TARGET_SLOW = "target_slow"
    """Nothing on the way was full and nothing was lost: the target sent or took no more."""
    LOST_BEHIND_GATEWAY = "lost_behind_gateway"
    """Packets are lost somewhere behind the gateway; nothing tells where."""
    NAMES_NOT_RESOLVED = "names_not_resolved"
    """Addresses can be reached, names are not resolved; nothing tells by whose fault."""
    SOMETHING_BETWEEN = "something_between"
    """Something on the way answered in the target's place: a login page, a proxy, a broken certificate."""
    OVER_ALREADY = "over_already"
    """When it was looked at, everything worked again."""
    NOT_SHOWN = "not_shown"
    """Too little could be seen."""


class Seen(StrEnum):
    """What one look showed."""

    ANSWERED = "answered"
    SILENT = "silent"
    """Asked, and nothing came."""
    REFUSED = "refused"
    """The host answered, the port is closed."""
    ABSENT = "absent"
    """There is nothing to ask: no route, no name, no address known."""


class ExpectedFrom(StrEnum):
    """What a speed was held against."""

    CONTRACT = "contract"
    NORM = "norm"
    HAND = "hand"
    """Given by whoever measured."""


class Trips(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Round trips to one place: how many were tried, how many came back, and their median.

    `second_longest_ms` shows a queue that stood for a moment, and is not made by one packet's chance; where there is
    one answer alone, it is that.
    """

    asked_count: Trials
    answered_count: Trials
    median_ms: Milliseconds | None = None
    second_longest_ms: Milliseconds | None = None

    def __post_init__(self) -> None:
        """Refuse more answers than questions, and a median of nothing."""
        if self.answered_count > self.asked_count:
            raise ValueError("`answered_count` is above `asked_count`")
        is_answered = self.answered_count > 0
        if (self.median_ms is not None) is not is_answered or (self.second_longest_ms is not None) is not is_answered:
            raise ValueError("`median_ms` and `second_longest_ms` are given exactly when `answered_count` is above 0")


class Evidence(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What was looked at; what was not, or could not be, is None.

    `_idle` is before the test and `_loaded` while it ran. `hops` are the routers behind the gateway, nearest first.
    `gateway`, `names`, `target` and `others` are looks after a failure: `gateway` is None where it is silent and never
    was anything else; `others` is the best of what `others_asked_count` other hosts showed.
    `processor_busy_ratio` is of the busiest processor, `receiver_limited_ratio` the part of the time in which this
    computer's window held the sender back, `link_speed_mbps` what port or radio are set to.
    """

    expected_mbps: Rate | None = None
    expected_from: ExpectedFrom | None = None
    gateway_idle: Trips | None = None
    gateway_loaded: Trips | None = None
    hops_idle: Annotated[Sequence[Trips], msgspec.Meta(max_length=MAX_HOPS)] = ()
    hops_loaded: Annotated[Sequence[Trips], msgspec.Meta(max_length=MAX_HOPS)] = ()
    target_idle: Trips | None = None
    target_loaded: Trips | None = None
    gateway: Seen | None = None
    names: Seen | None = None
    target: Seen | None = None
    others: Seen | None = None
    others_asked_count: Trials = 0
    others_answered_count: Trials = 0
    wifi_signal_dbm: Dbm | None = None
    link_speed_mbps: Rate | None = None
    processor_busy_ratio: Part | None = None
    receiver_limited_ratio: Part | None = None

    def __post_init__(self) -> None:
        """Refuse an expectation without its source, and more answers than questions."""
        if (self.expected_mbps is None) is not (self.expected_from is None):
            raise ValueError("`expected_mbps` and `expected_from` are given together")
        if self.others_answered_count > self.others_asked_count:
            raise ValueError("`others_answered_count` is above `others_asked_count`")


class Diagnosis(msgspec.Struct, gc=False, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The verdict on a slow or failed run, what it rests on, and all that was looked at."""

    cause: Cause
    reason: CauseReason
    evidence: Evidence = Evidence()
