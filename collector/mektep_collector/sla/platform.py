"""Whether a learning platform can be used from a school, and whose fault it is where it cannot. Pure.

A platform that fails says little by itself: the school's line may be down. What was seen of the line within a quarter
of an hour tells the two apart, the nearest first; where nothing was seen, nobody is blamed. The rules are in
docs/methods/platform-availability.md.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from mektep_wire import FailureKind

NEAR = timedelta(minutes=15)
"""How far from a look another observation still speaks of the same moment: latency is measured that often."""
SLOW_AFTER_MS = 5_000.0
"""A page that takes longer is slow. Five round trips to a geostationary satellite take 3 s, and are not."""


class PlatformState(StrEnum):
    """What can be said of a platform at one moment, as seen from the school."""

    REACHABLE = "reachable"
    SLOW = "slow"
    """Its page came, but so late that a lesson suffers."""
    PLATFORM_DOWN = "platform_down"
    """It did not serve its page while the school's internet worked."""
    INTERNET_DOWN = "internet_down"
    """The school's internet did not work: nothing can be said of the platform."""
    UNKNOWN = "unknown"
    """It was not reached, and nothing tells whose fault that was; or the test itself was cut short."""


class Bearing(StrEnum):
    """What an observation speaks of."""

    LINE = "line"
    """Whether anything beyond the school answers."""
    NAMES = "names"
    """Whether names are resolved."""


class Health(StrEnum):
    """What an observation says."""

    UP = "up"
    DOWN = "down"


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """One observation of the line from `at` to `until` (the same for a moment)."""

    at: datetime
    until: datetime
    bearing: Bearing
    health: Health


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One fetch of one platform's page: how long it took in all, or why it failed; neither where it was not made."""

    at: datetime
    target: str
    total_ms: float | None
    failure: FailureKind | None

    @property
    def is_good(self) -> bool:
        """Tell whether the page came."""
        return self.failure is None and self.total_ms is not None


_ANSWERED = frozenset(
    {
        FailureKind.HTTP_SERVER_ERROR,
        FailureKind.HTTP_FORBIDDEN,
        FailureKind.HTTP_LEGALLY_BLOCKED,
        FailureKind.HTTP_CLIENT_ERROR,
        FailureKind.HTTP_REDIRECT,
        FailureKind.HTTP_UNEXPECTED_CONTENT,
    }
)
"""The platform itself answered, under its own certificate: the internet was up."""
_CUT_SHORT = frozenset({FailureKind.INTERRUPTED, FailureKind.ENGINE_UNAVAILABLE})
_INSIDE = frozenset({FailureKind.NO_INTERFACE, FailureKind.NETWORK_UNREACHABLE, FailureKind.GATEWAY_UNREACHABLE})
_OF_NAMES = frozenset({FailureKind.DNS_TIMEOUT, FailureKind.DNS_ERROR, FailureKind.DNS_NXDOMAIN, FailureKind.DNS_BOGUS})
_ON_THE_WAY = frozenset({FailureKind.CAPTIVE_PORTAL, FailureKind.PROXY_ERROR})
"""What stands in the way may stand before this platform alone, or before all."""


def judge(
    look: Look, others: Iterable[Look], signs: Sequence[Sign], slow_after_ms: float = SLOW_AFTER_MS
) -> PlatformState:
    """Return the state that one look shows, given looks at other platforms and signs of the line around it.

    What is further away than `NEAR` is passed over. An answer of the platform itself comes first, then another platform
    that could be reached, then the nearest sign of what failed; of signs equally near one that says down counts.
    """
    if look.total_ms is not None and look.is_good:
        return PlatformState.SLOW if look.total_ms > slow_after_ms else PlatformState.REACHABLE
    kind = look.failure
    if kind is None or kind in _CUT_SHORT:
        return PlatformState.UNKNOWN
    near = [other for other in others if other.target != look.target and abs(other.at - look.at) <= NEAR]
    if kind in _ANSWERED or any(other.is_good or other.failure in _ANSWERED for other in near):
        return PlatformState.PLATFORM_DOWN
    if kind in _INSIDE:
        return PlatformState.INTERNET_DOWN
    line = _nearest(look.at, signs, Bearing.LINE)
    if line is Health.DOWN:
        return PlatformState.INTERNET_DOWN
    if kind in _ON_THE_WAY:
        all_alike = any(other.failure is kind for other in near)
        return PlatformState.INTERNET_DOWN if all_alike else PlatformState.UNKNOWN
    deciding = _nearest(look.at, signs, Bearing.NAMES) if kind in _OF_NAMES else line
    if deciding is None:
        return PlatformState.UNKNOWN
    return PlatformState.PLATFORM_DOWN if deciding is Health.UP else PlatformState.INTERNET_DOWN


def _nearest(at: datetime, signs: Sequence[Sign], bearing: Bearing) -> Health | None:
    found: tuple[timedelta, int, Health] | None = None
    for sign in signs:
        if sign.bearing is bearing:
            distance = max(sign.at - at, at - sign.until, timedelta(0))
            ranked = (distance, 0 if sign.health is Health.DOWN else 1, sign.health)
            if distance <= NEAR and (found is None or ranked[:2] < found[:2]):
                found = ranked
    return found[2] if found is not None else None


class PlatformAvailability(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of looks by state. What is unknown counts in no share."""

    reachable_count: int = 0
    slow_count: int = 0
    platform_down_count: int = 0
    internet_down_count: int = 0
    unknown_count: int = 0

    @property
    def usable_count(self) -> int:
        """How often the page came, slow or not."""
        return self.reachable_count + self.slow_count

    @property
    def judged_count(self) -> int:
        """How many looks the school's share rests on."""
        return self.usable_count + self.platform_down_count + self.internet_down_count

    @property
    def ratio(self) -> float | None:
        """Share of looks at which the school could use the platform, 0 to 1; None without any."""
        return self.usable_count / self.judged_count if self.judged_count else None

    @property
    def platform_ratio(self) -> float | None:
        """The same over the looks at which the school's internet worked: the platform's own share."""
        with_internet_count = self.judged_count - self.internet_down_count
        return self.usable_count / with_internet_count if with_internet_count else None


def availability_of(states: Iterable[PlatformState]) -> PlatformAvailability:
    """Return the counts of states."""
    found = list(states)
    return PlatformAvailability(
        reachable_count=found.count(PlatformState.REACHABLE),
        slow_count=found.count(PlatformState.SLOW),
        platform_down_count=found.count(PlatformState.PLATFORM_DOWN),
        internet_down_count=found.count(PlatformState.INTERNET_DOWN),
        unknown_count=found.count(PlatformState.UNKNOWN),
    )
