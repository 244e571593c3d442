"""Germany's proof of a line that falls short: Bundesnetzagentur, Vfg. 99/2021, in force since 13 December 2021.

Thirty tests, ten a day on three days within fourteen, a day between two of them at least; five minutes between two
tests, and three hours between the fifth and the sixth of a day. By cable, without tunnel or other traffic. The line
falls short, down or up, if any of these holds: 90 % of the maximum is not reached once on two of the days or more; the
normally available speed is not reached in 90 % of the tests; on two of the days or more it falls below the minimum.

A school's ordinary schedule has fewer tests: an operator orders three days of ten for it.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import combinations, pairwise
from math import ceil

import msgspec

from mektep_collector.sla.methods.method import Answer, Condition, Finding, Method, Part
from mektep_collector.sla.methods.promise import Promise
from mektep_collector.sla.methods.share import not_applicable

DAYS_COUNT = 3
TESTS_A_DAY = 10
HALF_COUNT = 5
WITHIN_DAYS = 14
APART = timedelta(minutes=5)
HALVES_APART = timedelta(hours=3)
BROKEN_DAYS_COUNT = 2
_MAXIMUM_SHARE = 0.9


class TimedTest(msgspec.Struct, frozen=True, kw_only=True):
    """One good test of one direction, made under the rule's conditions: by cable, no tunnel, no other traffic."""

    day: date
    at: datetime
    mbps: float


def bnetza(tests: Iterable[TimedTest], promise: Promise) -> Finding:
    """Return whether the line keeps its promise by the first campaign among `tests`, which are in any order.

    A condition whose speed the contract does not name is not judged. Each part counts what speaks for the line: days
    for the first and the third, tests for the second.
    """
    if promise == Promise():
        return Finding(method=Method.BNETZA, answer=Answer.NOT_APPLICABLE)
    campaign = campaign_of(tests)
    if campaign is None:
        return Finding(method=Method.BNETZA, answer=Answer.INSUFFICIENT_DATA)
    parts = [
        _maximum_reached(campaign, promise.maximum_mbps),
        _normally_available(campaign, promise.normally_mbps),
        _minimum_kept(campaign, promise.minimum_mbps),
    ]
    is_broken = any(part.answer is Answer.NOT_MET for part in parts)
    return Finding(method=Method.BNETZA, answer=Answer.NOT_MET if is_broken else Answer.MET, parts=parts)


def campaign_of(tests: Iterable[TimedTest]) -> Sequence[Sequence[TimedTest]] | None:
    """Return the first three days of ten tests each that keep the rule's distances, None where there are none."""
    by_day: dict[date, list[TimedTest]] = {}
    for test in sorted(tests, key=lambda test: (test.at, test.mbps)):
        by_day.setdefault(test.day, []).append(test)
    full = {day: chosen for day, found in sorted(by_day.items()) if (chosen := _spaced(found)) is not None}
    for days in combinations(full, DAYS_COUNT):
        is_apart = all((later - earlier).days > 1 for earlier, later in pairwise(days))
        if is_apart and (days[-1] - days[0]).days < WITHIN_DAYS:
            return [full[day] for day in days]
    return None


def _spaced(found: Sequence[TimedTest]) -> list[TimedTest] | None:
    """Return the earliest ten tests of a day with the distances between them; None where there are no such ten."""
    chosen: list[TimedTest] = []
    for test in found:
        apart = HALVES_APART if len(chosen) == HALF_COUNT else APART
        if not chosen or test.at - chosen[-1].at >= apart:
            chosen.append(test)
        if len(chosen) == TESTS_A_DAY:
            return chosen
    return None


def _maximum_reached(campaign: Sequence[Sequence[TimedTest]], maximum_mbps: float | None) -> Part:
    if maximum_mbps is None:
        return not_applicable(Condition.MAXIMUM_REACHED)
    reached = [max(test.mbps for test in day) >= _MAXIMUM_SHARE * maximum_mbps for day in campaign]
    return _days_part(Condition.MAXIMUM_REACHED, reached)


def _minimum_kept(campaign: Sequence[Sequence[TimedTest]], minimum_mbps: float | None) -> Part:
    if minimum_mbps is None:
        return not_applicable(Condition.MINIMUM_KEPT)
    kept = [min(test.mbps for test in day) >= minimum_mbps for day in campaign]
    return _days_part(Condition.MINIMUM_KEPT, kept)


def _days_part(condition: Condition, days: Sequence[bool]) -> Part:
    good_count = sum(days)
    is_broken = len(days) - good_count >= BROKEN_DAYS_COUNT
    return Part(
        condition=condition,
        answer=Answer.NOT_MET if is_broken else Answer.MET,
        good_count=good_count,
        count=len(days),
        needed_count=len(days) - BROKEN_DAYS_COUNT + 1,
    )


def _normally_available(campaign: Sequence[Sequence[TimedTest]], normally_mbps: float | None) -> Part:
    if normally_mbps is None:
        return not_applicable(Condition.NORMALLY_AVAILABLE)
    speeds = [test.mbps for day in campaign for test in day]
    good_count = sum(speed >= normally_mbps for speed in speeds)
    needed_count = ceil(len(speeds) * 9 / 10)
    return Part(
        condition=Condition.NORMALLY_AVAILABLE,
        answer=Answer.MET if good_count >= needed_count else Answer.NOT_MET,
        good_count=good_count,
        count=len(speeds),
        needed_count=needed_count,
    )
