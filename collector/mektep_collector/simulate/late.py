"""Late bursts: some schools' computers keep what they measured for days, and then deliver all of it at once.

Of each hundred schools some eight are such. In each fortnight of theirs there is, more often than not, one stretch of
three to nine days without delivery: for a third of the stretches the school's line is away, and the readings of those
days are failures and outages; else the line works, and the computer is switched off before it comes to sending. So
readings of one school reach the collector days after later readings of others.
"""

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from mektep_collector.simulate.fleet import SimulatedSchool

_LATE_RATIO: Final = 0.08
_FORTNIGHT_DAYS: Final = 14
_FORTNIGHTS_RATIO: Final = 0.6
_SHORTEST_DAYS, _LONGEST_DAYS = 3, 9
_LINE_AWAY_RATIO: Final = 1 / 3
SATURDAY: Final = 5
"""The first day without school, as `date.weekday` counts."""


class HoldReason(StrEnum):
    """Why a computer delivers nothing for days."""

    LINE_AWAY = "line_away"
    OFF_AT_SENDING = "off_at_sending"


class Hold(msgspec.Struct, frozen=True):
    """A stretch of days without delivery: from `since` up to, not with, `until`."""

    since: date
    until: date
    reason: HoldReason


def hold_on(school: SimulatedSchool, day: date) -> Hold | None:
    """Return the stretch without delivery that a school is in on a day, None where it delivers."""
    if school.random("late").random() >= _LATE_RATIO:
        return None
    fortnight, at = divmod(day.toordinal(), _FORTNIGHT_DAYS)
    random = school.random("hold", fortnight)
    if random.random() >= _FORTNIGHTS_RATIO:
        return None
    length = random.randint(_SHORTEST_DAYS, _LONGEST_DAYS)
    begins = random.randint(
        1, _FORTNIGHT_DAYS - length
    )  # each fortnight's first day delivers: no stretch meets the next
    reason = HoldReason.LINE_AWAY if random.random() < _LINE_AWAY_RATIO else HoldReason.OFF_AT_SENDING
    if not begins <= at < begins + length:
        return None
    since = day - timedelta(days=at - begins)
    return Hold(since, since + timedelta(days=length), reason)


def delivers_on(school: SimulatedSchool, day: date) -> bool:
    """Tell whether a school's computer comes to sending on a day: on school days, but for those of a stretch."""
    return day.weekday() < SATURDAY and hold_on(school, day) is None
