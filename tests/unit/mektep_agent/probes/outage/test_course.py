"""From beats to outages: one record an outage, its times within a period, whatever clock and computer do meanwhile."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.probes.outage.course import (
    MISSES_COUNT,
    Course,
    Finished,
    Rhythm,
    State,
    answered,
    caused,
    missed,
    wait_s,
)
from mektep_agent.probes.outage.moment import Moment, elapsed_s
from mektep_wire import OutageCause

RHYTHM = Rhythm()
BOOT = "b0070000-0000-4000-8000-000000000001"
NOON = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def moment(at_s: float, wall_step_s: float = 0.0) -> Moment:
    return Moment(at=NOON + timedelta(seconds=at_s + wall_step_s), monotonic_s=1_000.0 + at_s, boot_id=BOOT)


def watched(is_up: Callable[[float], bool], until_s: float, wall_step_s: Callable[[float], float] = lambda _: 0.0,
            first_s: float = 0.0) -> tuple[list[Finished], Course]:  # fmt: skip
    """Return the outages that a vigil from `first_s` to `until_s` finds on a line, and where it then stands."""
    course, found, at_s = Course(), [], first_s
    while at_s < until_s:
        step = answered if is_up(at_s) else missed
        course, ended = step(course, moment(at_s, wall_step_s(at_s)), RHYTHM)
        if ended is not None:
            found.append(ended)
        if course.state is State.DOWN and course.cause is None:
            course = caused(course, OutageCause.PROVIDER)
        at_s += wait_s(course, RHYTHM)
    return found, course


def outside(spans: Sequence[tuple[float, float]]) -> Callable[[float], bool]:
    return lambda at_s: not any(begin <= at_s < end for begin, end in spans)


def begin_s(one: Finished) -> float:
    return one.begin.monotonic_s - 1_000.0


def end_s(one: Finished) -> float:
    return one.end.monotonic_s - 1_000.0


def test_a_line_that_stays_up_has_no_outage() -> None:
    assert watched(lambda _: True, 36_000.0)[0] == []


@given(begin=st.floats(120.0, 7_200.0), length=st.floats(90.0, 40_000.0), phase=st.floats(0.0, 60.0))
def test_an_outage_is_one_record_with_both_ends_within_a_period(begin: float, length: float, phase: float) -> None:
    (one,), course = watched(outside([(begin, begin + length)]), begin + length + 600.0, first_s=phase)
    assert 0.0 <= begin_s(one) - begin <= RHYTHM.period_s
    assert 0.0 <= end_s(one) - (begin + length) <= RHYTHM.period_s
    assert begin_s(one) - one.begin_uncertainty_s <= begin <= begin_s(one)
    assert end_s(one) - one.end_uncertainty_s <= begin + length <= end_s(one)
    assert (one.cause, one.returns_count, one.boots_count) == (OutageCause.PROVIDER, 0, 1)
    assert course.state is State.UP


@given(begin=st.floats(120.0, 600.0), length=st.floats(0.0, 9.9), phase=st.floats(0.0, 60.0))
def test_what_is_over_before_the_doubt_is_confirmed_is_no_outage(begin: float, length: float, phase: float) -> None:
    assert watched(outside([(begin, begin + length)]), 1_200.0, first_s=phase)[0] == []


@given(lost=st.sets(st.integers(0, 400), max_size=120))
def test_single_lost_beats_are_no_outage(lost: set[int]) -> None:
    lonely = {number for number in lost if not {number - 1, number - 2} & lost}
    course, numbered = Course(), 0
    while numbered < 400:
        step = missed if numbered in lonely else answered
        course, ended = step(course, moment(numbered * 5.0), RHYTHM)
        assert ended is None
        assert course.state in {State.UP, State.DOUBTED}
        numbered += 1


@pytest.mark.parametrize("spacing_s", [47.0, 60.0, 71.0, 83.0])
def test_a_line_that_flaps_is_one_outage_that_says_so(spacing_s: float) -> None:
    flaps = [(600.0 + spacing_s * number, 635.0 + spacing_s * number) for number in range(30)]
    (one,), _ = watched(outside(flaps), 5_000.0)
    assert 600.0 <= begin_s(one) <= 660.0
    assert end_s(one) == pytest.approx(flaps[-1][1], abs=RHYTHM.period_s)
    assert one.returns_count > 5


def test_two_outages_with_a_line_that_settled_between_are_two() -> None:
    found, _ = watched(outside([(600.0, 900.0), (1_200.0, 1_500.0)]), 2_400.0)
    assert len(found) == 2


@given(step=st.floats(-1e8, 1e8), when=st.floats(0.0, 1_200.0))
def test_a_clock_that_is_set_during_an_outage_changes_nothing_of_it(step: float, when: float) -> None:
    line = outside([(300.0, 900.0)])
    (plain,), _ = watched(line, 1_500.0)
    (stepped,), _ = watched(line, 1_500.0, lambda at_s: step if at_s >= when else 0.0)
    last = moment(1_500.0, step)
    assert elapsed_s(stepped.begin, stepped.end, last) == elapsed_s(plain.begin, plain.end, last)
    assert stepped.begin.monotonic_s == plain.begin.monotonic_s


def test_an_outage_that_nobody_saw_end_is_claimed_no_longer_than_it_was_seen() -> None:
    course = Course(state=State.DOWN, begin=moment(0.0), last_down=moment(600.0), cause=OutageCause.PROVIDER)
    course, _ = answered(course, moment(50_000.0), RHYTHM)
    _, ended = answered(course, moment(50_100.0), RHYTHM)
    assert ended is not None
    assert end_s(ended) == 600.0
    assert ended.end_uncertainty_s == 49_400.0


def test_it_takes_several_misses_in_a_row_to_open_one() -> None:
    course = Course(last_up=moment(0.0))
    for number in range(MISSES_COUNT):
        assert not course.is_open
        course, _ = missed(course, moment(60.0 + 5.0 * number), RHYTHM)
    assert course.is_open
    assert course.begin == moment(60.0)
