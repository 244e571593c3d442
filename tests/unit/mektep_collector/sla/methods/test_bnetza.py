"""The rule of Vfg. 99/2021, condition by condition."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.methods.bnetza import TimedTest, bnetza, campaign_of
from mektep_collector.sla.methods.method import Answer
from mektep_collector.sla.methods.promise import Promise

PROMISE = Promise(maximum_mbps=100.0, normally_mbps=80.0, minimum_mbps=50.0)
MONDAY = date(2026, 10, 5)


def day_of(back_days: int, *speeds: float, halves_apart_h: float = 3.0, apart_min: float = 5.0) -> list[TimedTest]:
    """Ten tests of a day, the sixth `halves_apart_h` after the fifth."""
    day = MONDAY + timedelta(days=back_days)
    at = datetime(day.year, day.month, day.day, 4, tzinfo=UTC)
    made = []
    for number, mbps in enumerate(speeds):
        if number:
            at += timedelta(hours=halves_apart_h) if number == 5 else timedelta(minutes=apart_min)
        made.append(TimedTest(day=day, at=at, mbps=mbps))
    return made


GOOD = (95.0, *[85.0] * 9)


def three_days(first: tuple[float, ...], second: tuple[float, ...], third: tuple[float, ...]) -> list[TimedTest]:
    return [*day_of(0, *first), *day_of(2, *second), *day_of(4, *third)]


def test_a_line_that_keeps_all_three() -> None:
    found = bnetza(three_days(GOOD, GOOD, GOOD), PROMISE)
    assert found.answer is Answer.MET
    assert [(part.good_count, part.count) for part in found.parts] == [(3, 3), (30, 30), (3, 3)]


def test_the_maximum_must_nearly_be_reached_on_two_of_three_days() -> None:
    never = (89.9, *[85.0] * 9)
    assert bnetza(three_days(GOOD, GOOD, never), PROMISE).answer is Answer.MET
    assert bnetza(three_days(GOOD, never, never), PROMISE).answer is Answer.NOT_MET
    at_the_bound = (90.0, *[85.0] * 9)
    assert bnetza(three_days(GOOD, at_the_bound, never), PROMISE).answer is Answer.MET


def test_the_normally_available_speed_must_be_reached_in_27_of_30_tests() -> None:
    three_slow = (95.0, *[85.0] * 6, *[79.0] * 3)
    four_slow = (95.0, *[85.0] * 5, *[79.0] * 4)
    assert bnetza(three_days(GOOD, GOOD, three_slow), PROMISE).answer is Answer.MET
    assert bnetza(three_days(GOOD, GOOD, four_slow), PROMISE).answer is Answer.NOT_MET


def test_the_minimum_may_be_missed_on_one_day_and_not_on_two() -> None:
    once = (95.0, *[85.0] * 8, 49.0)
    assert bnetza(three_days(GOOD, GOOD, once), PROMISE).answer is Answer.MET
    assert bnetza(three_days(GOOD, once, once), PROMISE).answer is Answer.NOT_MET


def test_a_speed_that_the_contract_does_not_name_is_not_judged() -> None:
    once = (95.0, *[10.0] * 9)
    found = bnetza(three_days(once, once, once), Promise(maximum_mbps=100.0))
    assert found.answer is Answer.MET
    assert [part.answer for part in found.parts] == [Answer.MET, Answer.NOT_APPLICABLE, Answer.NOT_APPLICABLE]
    assert bnetza(three_days(once, once, once), Promise()).answer is Answer.NOT_APPLICABLE


@pytest.mark.parametrize(
    "tests",
    [
        [*day_of(0, *GOOD), *day_of(2, *GOOD)],  # two days
        [*day_of(0, *GOOD), *day_of(1, *GOOD), *day_of(3, *GOOD)],  # no day between the first two
        [*day_of(0, *GOOD), *day_of(2, *GOOD), *day_of(14, *GOOD)],  # within fifteen days
        [*day_of(0, *GOOD), *day_of(2, *GOOD), *day_of(4, *GOOD[:9])],  # nine tests
        [*day_of(0, *GOOD), *day_of(2, *GOOD), *day_of(4, *GOOD, halves_apart_h=2.9)],
        [*day_of(0, *GOOD), *day_of(2, *GOOD), *day_of(4, *GOOD, apart_min=4.9)],
        [],
    ],
)
def test_what_is_no_campaign_proves_nothing(tests: list[TimedTest]) -> None:
    assert bnetza(tests, PROMISE).answer is Answer.INSUFFICIENT_DATA


def test_a_campaign_ends_on_the_fourteenth_day() -> None:
    assert campaign_of([*day_of(0, *GOOD), *day_of(2, *GOOD), *day_of(13, *GOOD)]) is not None


@given(st.permutations(three_days(GOOD, (89.0, *[70.0] * 9), GOOD)))
def test_the_order_of_tests_does_not_matter(tests: list[TimedTest]) -> None:
    assert bnetza(tests, PROMISE) == bnetza(three_days(GOOD, (89.0, *[70.0] * 9), GOOD), PROMISE)
