"""Troubles of simulated lines: a provider's take a region at once, others are a school's own."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.simulate.fleet import fleet, school
from mektep_collector.simulate.late import HoldReason, hold_on
from mektep_collector.simulate.trouble import CLOSES_S, OPENS_S, Trouble, trouble_at, troubles
from mektep_wire import OutageCause

MONDAY = date(2026, 11, 16)
NUMBERS = st.integers(1, 10_000)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
NAMES = (OutageCause.PROVIDER, OutageCause.LAN, OutageCause.DNS, OutageCause.POWER)


@given(NUMBERS, DAYS)
def test_troubles_are_the_same_for_a_seed_and_keep_to_school_hours(number: int, day: date) -> None:
    found = troubles(school(number, 7), day)
    assert found == troubles(school(number, 7), day)
    assert found == sorted(found)
    for each in found:
        assert each.cause in NAMES
        assert OPENS_S <= each.begin_s < each.end_s <= CLOSES_S


def test_an_outage_of_a_provider_hits_its_schools_of_a_region_together_and_no_others() -> None:
    groups = defaultdict(list)
    for one in fleet(800, 1):
        if not any(hold_on(one, MONDAY + timedelta(days=n)) for n in range(10)):
            groups[one.region, one.provider].append(one)
    hit = set()
    for day in (MONDAY + timedelta(days=number) for number in range(10)):
        for (region, provider), schools in groups.items():
            told = [[each for each in troubles(one, day) if each.cause is OutageCause.PROVIDER] for one in schools]
            struck = [each for each in told if each]
            if len(schools) > 7 and len(struck) > len(schools) / 2:
                at_s = min(max(each) for each in struck).begin_s + 1
                assert all(trouble_at(troubles(one, day), at_s) is not None for one in schools)
                hit.add((day, region, provider))
    assert 3 <= len(hit) <= 40
    assert len({(day, region) for day, region, _ in hit}) > len(hit) / 2
    assert len({(day, provider) for day, _, provider in hit}) > len(hit) / 2


def test_other_troubles_are_each_schools_own_and_as_frequent_as_is_said() -> None:
    days = [troubles(one, MONDAY + timedelta(days=number)) for one in fleet(1_500, 2) for number in range(4)]
    count = {cause: sum(any(each.cause is cause for each in day) for day in days) / len(days) for cause in NAMES}
    assert count[OutageCause.POWER] == pytest.approx(0.01, abs=0.005)
    assert count[OutageCause.LAN] + count[OutageCause.DNS] == pytest.approx(0.0133, abs=0.006)
    assert count[OutageCause.PROVIDER] == pytest.approx(0.015 + 0.0067 + 0.005, abs=0.015)


def test_a_line_that_is_away_for_days_is_down_all_school_day() -> None:
    found = 0
    for one in fleet(600, 1):
        hold = hold_on(one, MONDAY)
        whole = Trouble(OPENS_S, CLOSES_S, OutageCause.PROVIDER)
        if hold is not None and hold.reason is HoldReason.LINE_AWAY:
            assert whole in troubles(one, MONDAY)
            found += 1
        else:
            assert whole not in troubles(one, MONDAY)
    assert found


@given(NUMBERS, DAYS)
def test_troubles_of_the_line_never_overlap(number: int, day: date) -> None:
    of_line = [each for each in troubles(school(number, 7), day) if each.cause is not OutageCause.POWER]
    assert all(one.end_s < other.begin_s for one, other in pairwise(of_line))


def test_without_power_nothing_else_is_seen() -> None:
    line, cut = Trouble(30_000.0, 40_000.0, OutageCause.LAN), Trouble(35_000.0, 36_000.0, OutageCause.POWER)
    assert trouble_at([line, cut], 35_500.0) is cut
    assert trouble_at([line, cut], 34_000.0) is line
    assert trouble_at([line, cut], 36_000.0) is line
    assert trouble_at([line, cut], 40_000.0) is None
