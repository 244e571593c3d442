"""When simulated lines are down: providers' outages, which take a region at once, and schools' own."""

from datetime import date
from random import Random
from typing import Final, NamedTuple

from mektep_collector.simulate.fleet import SimulatedSchool
from mektep_collector.simulate.late import HoldReason, hold_on
from mektep_wire import OutageCause

OPENS_S: Final = 8 * 3_600
CLOSES_S: Final = 19 * 3_600
"""School hours, in seconds of the local day."""
_PROVIDERS_RATIO: Final = 0.015
_SCHOOLS_RATIO: Final = 0.02
_POWER_RATIO: Final = 0.01
_BOOT_S: Final = 600.0
"""Power that was cut comes back so long before school is over, and the computer with it."""


class Trouble(NamedTuple):
    """From `begin_s` to `end_s` of a local day nothing gets through, for a cause."""

    begin_s: float
    end_s: float
    cause: OutageCause


def troubles(school: SimulatedSchool, day: date) -> list[Trouble]:
    """Return a school's troubles of a day, in order: those of its provider in its region, and its own.

    Troubles of the line that touch are one, with the cause of the first. A power cut stands beside them.
    """
    common = Random(f"{school.seed} {school.provider} {school.region} {day}")  # noqa: S311 - the same for the same seed
    own = school.random("trouble", day)
    of_line, of_power = [], []
    if common.random() < _PROVIDERS_RATIO:
        of_line.append(_drawn(common, 600.0, 14_400.0, OutageCause.PROVIDER))
    if own.random() < _SCHOOLS_RATIO:
        cause = own.choice((OutageCause.LAN, OutageCause.PROVIDER, OutageCause.DNS))
        of_line.append(_drawn(own, 120.0, 7_200.0, cause))
    if own.random() < _POWER_RATIO:
        cut = _drawn(own, 300.0, 10_800.0, OutageCause.POWER, CLOSES_S - _BOOT_S)
        of_power.append(cut)
    hold = hold_on(school, day)
    if hold is not None and hold.reason is HoldReason.LINE_AWAY:
        of_line.append(Trouble(OPENS_S, CLOSES_S, OutageCause.PROVIDER))
    return sorted([*_joined(of_line), *of_power])


def trouble_at(found: list[Trouble], at_s: float) -> Trouble | None:
    """Return what stands in the way at a time of the day, None for nothing; without power nothing else matters."""
    standing = [each for each in found if each.begin_s <= at_s < each.end_s]
    return next((each for each in standing if each.cause is OutageCause.POWER), standing[0] if standing else None)


def _joined(found: list[Trouble]) -> list[Trouble]:
    joined: list[Trouble] = []
    for each in sorted(found):
        if joined and each.begin_s <= joined[-1].end_s:
            joined[-1] = joined[-1]._replace(end_s=max(each.end_s, joined[-1].end_s))
        else:
            joined.append(each)
    return joined


def _drawn(
    random: Random, shortest_s: float, longest_s: float, cause: OutageCause, over_s: float = CLOSES_S
) -> Trouble:
    begin_s = random.uniform(OPENS_S, over_s - shortest_s)
    return Trouble(begin_s, min(over_s, begin_s + random.uniform(shortest_s, longest_s)), cause)
