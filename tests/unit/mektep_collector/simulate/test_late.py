"""Late bursts: some schools deliver nothing for days, and everything after that; by the seed, and of few schools."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.simulate.fleet import SimulatedSchool, fleet, school
from mektep_collector.simulate.late import HoldReason, delivers_on, hold_on

DAYS = [date(2026, 9, 1) + timedelta(days=number) for number in range(84)]
NUMBERS = st.integers(1, 10_000)
LATE = [one for one in fleet(200, 1) if any(hold_on(one, day) for day in DAYS)]


@given(NUMBERS, st.sampled_from(DAYS))
def test_stretches_are_the_same_for_a_seed(number: int, day: date) -> None:
    assert hold_on(school(number, 7), day) == hold_on(school(number, 7), day)


@given(st.sampled_from(LATE), st.sampled_from(DAYS))
def test_every_day_of_a_stretch_names_the_same_one_and_its_end_delivers(late: SimulatedSchool, day: date) -> None:
    hold = hold_on(late, day)
    if hold is None:
        return
    length = (hold.until - hold.since).days
    assert 3 <= length <= 9
    assert hold.since <= day < hold.until
    assert {hold_on(late, hold.since + timedelta(days=n)) for n in range(length)} == {hold}
    assert hold_on(late, hold.since - timedelta(days=1)) is None
    assert hold_on(late, hold.until) is None


def test_few_schools_are_late_and_those_again_and_again() -> None:
    country = fleet(600, 1)
    stretches = {one.number: {hold for day in DAYS if (hold := hold_on(one, day)) is not None} for one in country}
    late = [found for found in stretches.values() if found]
    assert len(late) / len(country) == pytest.approx(0.08, abs=0.03)
    fortnights_count = len(DAYS) / 14
    assert sum(map(len, late)) / len(late) == pytest.approx(0.6 * fortnights_count, abs=0.5)
    reasons = [hold.reason for found in late for hold in found]
    assert reasons.count(HoldReason.LINE_AWAY) / len(reasons) == pytest.approx(1 / 3, abs=0.12)


@given(NUMBERS, st.sampled_from(DAYS))
def test_a_computer_comes_to_sending_on_school_days_outside_of_stretches(number: int, day: date) -> None:
    made = school(number, 7)
    assert delivers_on(made, day) is (day.weekday() < 5 and hold_on(made, day) is None)
