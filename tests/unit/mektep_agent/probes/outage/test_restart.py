"""What an absence of the agent means, and that an outage over several boots is one record."""

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.probes.outage.course import Course, Finished, Rhythm, State, answered, caused, missed
from mektep_agent.probes.outage.moment import Moment, elapsed_s, true_time
from mektep_agent.probes.outage.record import can_be_told, reading_of
from mektep_agent.probes.outage.restart import Life, Memory, after_restart
from mektep_agent.probes.probe import NO_BOOT
from mektep_wire import Clock, ClockStatus, Metric, OutageCause, Reading, decode, encode

RHYTHM = Rhythm()
TEN = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
BOOTS = [f"b0070000-0000-4000-8000-00000000000{number}" for number in range(5)]


def moment(boot: int, true_s: float, up_s: float, offset_s: float | None = 0.0, clock_s: float | None = None) -> Moment:
    """Return true time `true_s` after ten, `up_s` into a boot whose clock is behind by `offset_s`."""
    behind_s = offset_s or 0.0 if clock_s is None else true_s - clock_s
    at = TEN + timedelta(seconds=true_s - behind_s)
    return Moment(at=at, monotonic_s=up_s, boot_id=BOOTS[boot], offset_s=offset_s)


def settled(course: Course, boot: int, true_s: float, up_s: float, offset_s: float | None = 0.0) -> Finished:
    """Let the line be up from `true_s` on, and return the outage that this ends."""
    for step_s in (0.0, 20.0, 40.0, 60.0, 80.0):
        course, ended = answered(course, moment(boot, true_s + step_s, up_s + step_s, offset_s), RHYTHM)
        if ended is not None:
            return ended
    raise AssertionError("no outage ended")


def _school_s(begin: datetime, end: datetime) -> float:
    return (end - begin).total_seconds() / 2


def told(one: Finished, known: Moment) -> Reading:
    assert can_be_told(one, known)
    offset_s = known.offset_s
    clock = (
        Clock()
        if offset_s is None or abs(offset_s) > 1e9
        else Clock(status=ClockStatus.COMPARED, offset_s=offset_s, compared_s=1.0)
    )
    reading = reading_of(one, known, clock, "udp://measure.example:8082", Random(1), _school_s)
    assert decode(Reading, encode(reading)) == reading
    return reading


def test_another_boot_in_school_hours_without_an_end_in_order_is_a_power_cut() -> None:
    memory = Memory(life=Life.WATCHING, alive=moment(0, 0.0, 7_200.0))
    course, done = after_restart(memory, moment(1, 1_800.0, 40.0))
    assert done == ()
    one = settled(course, 1, 1_830.0, 70.0)
    assert (one.cause, one.boots_count) == (OutageCause.POWER, 2)
    reading = told(one, moment(1, 2_000.0, 240.0))
    assert reading.values[Metric.OUTAGE_DURATION_S] == pytest.approx(1_800.0)
    assert reading.started_at == TEN
    assert reading.boot_id == NO_BOOT
    assert reading.outage is not None
    assert reading.outage.begin_uncertainty_s == 300.0


def test_an_end_in_order_and_a_night_are_no_outage() -> None:
    memory = Memory(life=Life.RESTING, alive=moment(0, 0.0, 7_200.0))
    assert after_restart(memory, moment(1, 60_000.0, 40.0)) == (Course(), ())


def test_an_agent_that_is_killed_and_soon_back_is_no_outage() -> None:
    memory = Memory(life=Life.WATCHING, alive=moment(0, 0.0, 7_200.0))
    course, done = after_restart(memory, moment(0, 310.0, 7_510.0))
    assert (course.state, done) == (State.UP, ())


def test_an_agent_that_is_away_long_while_the_computer_runs_says_so() -> None:
    memory = Memory(life=Life.WATCHING, alive=moment(0, 0.0, 7_200.0))
    course, _ = after_restart(memory, moment(0, 3_600.0, 10_800.0))
    assert settled(course, 0, 3_630.0, 10_830.0).cause is OutageCause.AGENT_OFF


@pytest.mark.parametrize("life", Life)
def test_a_providers_outage_over_a_power_cut_stays_one_and_the_providers(life: Life) -> None:
    down = Course(
        state=State.DOWN, begin=moment(0, 0.0, 7_200.0), last_down=moment(0, 300.0, 7_500.0),
        cause=OutageCause.PROVIDER,
    )  # fmt: skip
    course, done = after_restart(
        Memory(life=life, alive=moment(0, 300.0, 7_500.0), course=down), moment(1, 900.0, 40.0)
    )
    assert done == ()
    course, _ = missed(course, moment(1, 930.0, 70.0), RHYTHM)
    one = settled(course, 1, 950.0, 90.0)
    assert (one.cause, one.boots_count) == (OutageCause.PROVIDER, 2)
    assert told(one, moment(1, 1_100.0, 240.0)).duration_s == pytest.approx(950.0)


def test_power_that_comes_and_goes_is_one_cut_over_all_its_boots() -> None:
    memory = Memory(life=Life.WATCHING, alive=moment(0, 0.0, 7_200.0))
    course = Course()
    for boot in (1, 2, 3):
        course, done = after_restart(memory, moment(boot, 300.0 * boot, 20.0, None))
        assert done == ()
        alive = moment(boot, 300.0 * boot + 15.0, 35.0, None)
        memory = Memory(life=Life.WATCHING, alive=alive, course=course)
    one = settled(course, 3, 930.0, 50.0, None)
    assert (one.cause, one.boots_count, one.returns_count) == (OutageCause.POWER, 4, 2)
    assert told(one, moment(3, 1_200.0, 320.0)).duration_s == pytest.approx(900.0)


def test_a_router_that_comes_up_minutes_after_the_power_belongs_to_the_cut() -> None:
    course, _ = after_restart(Memory(life=Life.WATCHING, alive=moment(0, 0.0, 7_200.0)), moment(1, 600.0, 30.0))
    for beat in range(6):
        course, ended = missed(course, moment(1, 660.0 + 20.0 * beat, 90.0 + 20.0 * beat), RHYTHM)
        assert ended is None
    one = settled(course, 1, 800.0, 230.0)
    assert one.cause is OutageCause.POWER
    assert told(one, moment(1, 900.0, 330.0)).duration_s == pytest.approx(800.0)


def test_a_line_that_stays_down_long_after_the_power_is_back_is_an_outage_of_its_own() -> None:
    course, _ = after_restart(Memory(life=Life.WATCHING, alive=moment(0, 0.0, 7_200.0)), moment(1, 600.0, 30.0))
    cut = None
    for beat in range(60):
        course, ended = missed(course, moment(1, 660.0 + 20.0 * beat, 90.0 + 20.0 * beat), RHYTHM)
        cut = cut or ended
    assert cut is not None
    assert cut.cause is OutageCause.POWER
    line = settled(caused(course, OutageCause.PROVIDER), 1, 1_900.0, 1_330.0)
    assert line.cause is OutageCause.PROVIDER
    known = moment(1, 2_000.0, 1_430.0)
    assert told(cut, known).duration_s == pytest.approx(600.0)
    assert told(line, known).duration_s == pytest.approx(1_300.0)
    assert line.begin == cut.end


def test_an_outage_that_was_nearly_over_at_the_cut_ends_where_it_was_over() -> None:
    back = Course(
        state=State.RETURNING, begin=moment(0, 0.0, 100.0), last_down=moment(0, 280.0, 380.0),
        back=moment(0, 300.0, 400.0), cause=OutageCause.DNS,
    )  # fmt: skip
    memory = Memory(life=Life.WATCHING, alive=moment(0, 330.0, 430.0), course=back)
    course, (done,) = after_restart(memory, moment(1, 900.0, 20.0))
    assert (done.cause, elapsed_s(done.begin, done.end, moment(1, 900.0, 20.0))) == (OutageCause.DNS, 300.0)
    assert course.cause is OutageCause.POWER


@given(
    begin_offset=st.none() | st.floats(-1e6, 1e6), end_offset=st.floats(-1e6, 1e6), wrong_s=st.floats(-1e6, 1e6),
    length=st.floats(0.0, 1e6),
)  # fmt: skip
def test_over_two_boots_compared_clocks_give_the_true_length(
    begin_offset: float | None, end_offset: float, wrong_s: float, length: float
) -> None:
    begin = moment(0, 0.0, 5_000.0, begin_offset, clock_s=None if begin_offset is not None else -end_offset)
    end = moment(1, length, 30.0, end_offset)
    later = end.later(100.0)
    stepped = msgspec.structs.replace(later, at=later.at + timedelta(seconds=wrong_s), offset_s=end_offset - wrong_s)
    one = Finished(
        cause=OutageCause.POWER, begin=begin, end=end, begin_uncertainty_s=0.0, end_uncertainty_s=0.0, returns_count=0,
        boots_count=2,
    )  # fmt: skip
    if begin_offset is not None:
        assert told(one, stepped).duration_s == pytest.approx(length, abs=1e-3)
    assert abs((true_time(end, stepped) - TEN).total_seconds() - length) < 1e-3


def test_without_a_comparison_an_outage_over_two_boots_waits() -> None:
    one = Finished(
        cause=OutageCause.POWER, begin=moment(0, 0.0, 5_000.0), end=moment(1, 600.0, 30.0, None),
        begin_uncertainty_s=0.0, end_uncertainty_s=0.0, returns_count=0, boots_count=2,
    )  # fmt: skip
    assert not can_be_told(one, moment(1, 700.0, 130.0, None))
    assert can_be_told(one, moment(1, 700.0, 130.0, 0.0))


def test_a_clock_that_began_anew_in_1970_gives_the_true_length_once_compared() -> None:
    since_1970_s = (TEN - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    known = moment(1, 900.0, 100.0, offset_s=since_1970_s)
    one = Finished(
        cause=OutageCause.POWER, begin=moment(0, 0.0, 5_000.0, None), end=known.later(-60.0),
        begin_uncertainty_s=300.0, end_uncertainty_s=0.0, returns_count=0, boots_count=2,
    )  # fmt: skip
    assert told(one, known).duration_s == pytest.approx(840.0)


def test_clocks_that_contradict_each_other_claim_no_length() -> None:
    one = Finished(
        cause=OutageCause.POWER, begin=moment(0, 5_000.0, 100.0), end=moment(1, 600.0, 30.0),
        begin_uncertainty_s=300.0, end_uncertainty_s=0.0, returns_count=0, boots_count=2,
    )  # fmt: skip
    reading = told(one, moment(1, 700.0, 130.0))
    assert reading.duration_s == 0.0
    assert reading.outage is not None
    assert reading.outage.begin_uncertainty_s == pytest.approx(4_400.0)
