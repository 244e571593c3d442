"""Falling back and returning: for every course of errors, never by one stray audit, never to and fro."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.statistics.trust import (
    JUDGED_COUNT,
    RETURN_COUNT,
    RETURN_SHARE,
    Reliance,
    Trust,
    error_ratio,
    typical_error_ratio,
    weigh,
)

PROMISE = 0.05
good = st.floats(-RETURN_SHARE * PROMISE, RETURN_SHARE * PROMISE)
bad = st.floats(PROMISE * 1.001, 3.0) | st.floats(-1.0, -PROMISE * 1.001)
courses = st.lists(st.floats(-1.0, 3.0) | good | good, max_size=60)


def follow(errors: list[float], trust: Trust | None = None) -> list[Trust]:
    states = [trust or Trust()]
    for error in errors:
        states.append(weigh(states[-1], error, PROMISE))
    return states


@given(st.lists(good, max_size=60))
def test_within_the_promise_tests_stay_short(errors: list[float]) -> None:
    assert {state.reliance for state in follow(errors)} == {Reliance.SHORTENED}


@given(st.lists(good, max_size=30), st.lists(bad, min_size=1, max_size=60))
def test_above_the_promise_tests_grow_long_after_two_audits_at_most_and_stay_so(
    before: list[float], after: list[float]
) -> None:
    states = follow(after, follow(before)[-1])
    assert {state.reliance for state in states[2:]} <= {Reliance.FULL_LENGTH}


@given(bad)
def test_a_first_audit_that_is_bad_is_believed(error: float) -> None:
    assert follow([error])[-1].reliance is Reliance.FULL_LENGTH


@given(st.lists(good, min_size=2, max_size=30), bad, st.lists(good, min_size=2, max_size=30))
def test_one_stray_audit_among_good_ones_changes_nothing(before: list[float], stray: float, after: list[float]) -> None:
    assert {state.reliance for state in follow([*before, stray, *after])} == {Reliance.SHORTENED}


@given(courses, st.lists(good, min_size=RETURN_COUNT, max_size=RETURN_COUNT))
def test_when_audits_agree_again_tests_are_short_again(course: list[float], agreeing: list[float]) -> None:
    assert follow(agreeing, follow(course)[-1])[-1].reliance is Reliance.SHORTENED


@given(courses)
def test_no_return_before_so_many_audits_in_a_row_agree(course: list[float]) -> None:
    for count, (state, after) in enumerate(pairwise(follow(course)), start=1):
        if state.reliance is Reliance.FULL_LENGTH and after.reliance is Reliance.SHORTENED:
            lately = course[max(0, count - RETURN_COUNT) : count]
            assert len(lately) == RETURN_COUNT
            assert all(abs(error) <= RETURN_SHARE * PROMISE for error in lately)


@given(courses)
def test_after_a_return_two_bad_audits_are_needed_to_fall_back(course: list[float]) -> None:
    states = follow(course)
    returns = [
        count for count, (one, next_one) in enumerate(pairwise(states), start=1)
        if (one.reliance, next_one.reliance) == (Reliance.FULL_LENGTH, Reliance.SHORTENED)
    ]  # fmt: skip
    for count in returns:
        following = states[count + 1 : count + 2]
        assert all(state.reliance is Reliance.SHORTENED for state in following)


@given(courses, st.floats(0.001, 1.0))
def test_signs_do_not_matter_and_little_is_kept(course: list[float], promise: float) -> None:
    one = other = Trust()
    for error in course:
        one, other = weigh(one, error, promise), weigh(other, -error, promise)
    assert one.reliance is other.reliance
    assert one.audits_count == len(course)
    assert one.errors_ratio == tuple(course[-RETURN_COUNT:])
    assert RETURN_COUNT > JUDGED_COUNT


def test_errors_are_signed_shares_of_the_yardstick() -> None:
    assert error_ratio(30.0, 10.0) == pytest.approx(2.0)
    assert error_ratio(9.5, 10.0) == pytest.approx(-0.05)
    assert typical_error_ratio([-0.5, 0.1, 0.2]) == pytest.approx(0.2)
    assert typical_error_ratio([]) is None
    with pytest.raises(ValueError, match="no yardstick"):
        error_ratio(1.0, 0.0)
