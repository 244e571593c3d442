"""A simulated computer's day: what an agent would tell of it, each reading marked, numbered and within school hours."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import mean

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.simulate.day import LOCAL, Computer
from mektep_collector.simulate.fleet import SimulatedSchool, fleet, school
from mektep_collector.simulate.link import LinkKind
from mektep_collector.simulate.trouble import CLOSES_S, OPENS_S, troubles
from mektep_wire import Direction, Metric, Origin, Outage, OutageCause, Outcome, ProbeName, Reading, encode

MONDAY = date(2026, 11, 16)
NUMBERS = st.integers(1, 10_000)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


def _days(computer: Computer, first: date, count: int) -> Iterator[Reading]:
    for number in range(count):
        yield from computer.readings(first + timedelta(days=number))


def _true_s(of: SimulatedSchool, reading: Reading, day: date) -> float:
    """Return when a reading began by a right clock, in seconds of the local day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - LOCAL
    return (reading.started_at - timedelta(seconds=round(of.wrong_by_s, 3)) - midnight).total_seconds()


def _first_with(cause: OutageCause, on: date) -> SimulatedSchool:
    return next(one for one in fleet(3_000, 1) if [each.cause for each in troubles(one, on)] == [cause])


def _outage(readings: list[Reading]) -> tuple[Reading, Outage]:
    (told,) = [reading for reading in readings if reading.probe is ProbeName.OUTAGE]
    assert told.outage is not None
    return told, told.outage


@given(NUMBERS, DAYS)
def test_the_same_seed_makes_the_same_readings_byte_for_byte(number: int, day: date) -> None:
    once, again = (b"".join(map(encode, Computer(school(number, 7), 0).readings(day))) for _ in range(2))
    assert once == again


def test_another_seed_school_computer_or_day_makes_other_readings() -> None:
    made = [
        b"".join(map(encode, Computer(school(number, seed), generation).readings(day)))
        for number, seed, generation, day in (
            (1, 1, 0, MONDAY),
            (1, 2, 0, MONDAY),
            (2, 1, 0, MONDAY),
            (1, 1, 1, MONDAY),
            (1, 1, 0, MONDAY + timedelta(days=1)),
        )
    ]
    assert len(set(made)) == 5


@given(NUMBERS, DAYS)
def test_each_reading_keeps_to_the_wire_and_says_that_it_is_simulated(number: int, day: date) -> None:
    for reading in Computer(school(number, 7), 0).readings(day):
        assert msgspec.json.decode(encode(reading), type=Reading) == reading
        assert reading.origin is Origin.SIMULATED


@given(NUMBERS, DAYS)
def test_each_run_begins_in_school_hours(number: int, day: date) -> None:
    made = school(number, 7)
    for reading in Computer(made, 0).readings(day):
        assert OPENS_S - 0.001 <= _true_s(made, reading, day) <= CLOSES_S + 0.001


@given(NUMBERS)
def test_nothing_is_measured_at_weekends(number: int) -> None:
    computer = Computer(school(number, 7), 0)
    assert list(_days(computer, MONDAY + timedelta(days=5), 2)) == []
    assert computer.seq == 0


@given(NUMBERS, DAYS)
def test_an_outbox_numbers_from_one_without_a_gap_over_days(number: int, first: date) -> None:
    made = list(_days(Computer(school(number, 7), 0), first, 4))
    assert [reading.seq for reading in made] == list(range(1, len(made) + 1))
    assert len({reading.epoch for reading in made}) == 1
    assert len({reading.id for reading in made}) == len(made)


def test_a_school_day_has_fifty_to_sixty_readings_of_every_probe_and_fewer_only_where_power_was_away() -> None:
    for made in fleet(150, 3):
        found = list(Computer(made, 0).readings(MONDAY))
        cut = any(each.cause is OutageCause.POWER for each in troubles(made, MONDAY))
        assert len(found) in range(1, 61) if cut else len(found) in range(50, 61)
        if not cut:
            kinds = Counter(reading.probe for reading in found)
            assert kinds[ProbeName.THROUGHPUT] == 8
            assert kinds[ProbeName.LATENCY] in {21, 22}
            assert kinds[ProbeName.PATH] in {10, 12}
            assert kinds[ProbeName.PLATFORM] in {10, 12}


def test_lessons_take_a_fifth_of_a_line_before_noon_and_next_to_nothing_at_its_ends() -> None:
    shares: dict[str, list[float]] = {"edge": [], "noon": []}
    for made in fleet(250, 5):
        for reading in _days(Computer(made, 0), MONDAY, 2):
            rate = reading.values.get(Metric.DOWNLOAD_THROUGHPUT_MBPS)
            if rate is None:
                continue
            at_s = _true_s(made, reading, MONDAY) % 86_400
            if abs(at_s - 11.5 * 3_600) < 3_600:
                shares["noon"].append(rate / made.link.download_mbps)
            elif at_s < OPENS_S + 1_200 or at_s > CLOSES_S - 2_400:
                shares["edge"].append(rate / made.link.download_mbps)
    assert mean(shares["noon"]) == pytest.approx(0.78, abs=0.03)
    assert mean(shares["edge"]) > 0.98
    assert min(shares["noon"]) > 0.54
    assert max(shares["edge"]) < 1.001


def test_a_satellite_far_away_is_told_by_its_round_trip() -> None:
    far = next(one for one in fleet(100, 1) if one.link.kind is LinkKind.GEOSTATIONARY)
    near = next(one for one in fleet(100, 1) if one.link.kind is LinkKind.FIBRE)
    for made, least_ms, most_ms in ((far, 540, 1_200), (near, 3, 60)):
        for reading in Computer(made, 0).readings(MONDAY):
            if Metric.IDLE_RTT_MS in reading.values:
                assert least_ms <= reading.values[Metric.IDLE_RTT_MS] <= most_ms


@pytest.mark.parametrize("cause", [OutageCause.LAN, OutageCause.PROVIDER, OutageCause.DNS])
def test_runs_in_an_outage_of_the_line_fail_and_one_reading_tells_it_when_it_is_over(cause: OutageCause) -> None:
    made = _first_with(cause, MONDAY)
    (trouble,) = troubles(made, MONDAY)
    found = list(Computer(made, 0).readings(MONDAY))
    told, outage = _outage(found)
    assert outage.cause is cause
    assert _true_s(made, told, MONDAY) == pytest.approx(trouble.begin_s, abs=0.002)
    assert told.values[Metric.OUTAGE_DURATION_S] == pytest.approx(trouble.end_s - trouble.begin_s, abs=0.002)
    for reading in found:
        if reading is not told and trouble.begin_s < _true_s(made, reading, MONDAY) < trouble.end_s:
            assert reading.outcome in {Outcome.FAILED, Outcome.SKIPPED}
            assert reading.seq < told.seq
            assert not reading.values


def test_a_power_cut_leaves_a_gap_and_another_boot_and_one_reading_tells_it() -> None:
    made = _first_with(OutageCause.POWER, MONDAY)
    (cut,) = troubles(made, MONDAY)
    found = list(Computer(made, 0).readings(MONDAY))
    told, outage = _outage(found)
    assert (outage.cause, outage.boots_count) == (OutageCause.POWER, 2)
    runs = [(_true_s(made, reading, MONDAY), reading) for reading in found if reading is not told]
    assert not [at_s for at_s, _ in runs if cut.begin_s < at_s < cut.end_s]
    before = {reading.boot_id for at_s, reading in runs if at_s < cut.begin_s}
    after = {reading.boot_id for at_s, reading in runs if at_s > cut.end_s}
    assert len(before) <= 1
    assert len(after) == 1
    assert not before & after
    for at_s, reading in runs:
        if at_s > cut.end_s:
            assert reading.started_monotonic_s == pytest.approx(at_s - cut.end_s, abs=0.002)


@given(NUMBERS)
def test_a_computer_is_switched_off_at_night(number: int) -> None:
    computer = Computer(school(number, 7), 0)
    first, second = ({each.boot_id for each in computer.readings(MONDAY + timedelta(days=n))} for n in range(2))
    assert first
    assert not first & second


@given(NUMBERS)
def test_the_monotonic_clock_goes_as_the_wall_clock_does_within_a_boot(number: int) -> None:
    by_boot: dict[str, set[float]] = {}
    for reading in Computer(school(number, 7), 0).readings(MONDAY):
        up_at = reading.started_at - timedelta(seconds=reading.started_monotonic_s)
        by_boot.setdefault(reading.boot_id, set()).add(round(up_at.timestamp(), 1))
    assert all(max(each) - min(each) <= 0.11 for each in by_boot.values())


def test_a_second_computer_of_a_school_has_an_outbox_and_numbers_of_its_own() -> None:
    first, second = (list(Computer(school(1, 1), generation).readings(MONDAY)) for generation in range(2))
    assert first[0].epoch != second[0].epoch
    assert second[0].seq == 1
    assert not {each.id for each in first} & {each.id for each in second}


def test_both_directions_of_a_test_stand_together() -> None:
    slots = Counter(each.slot for each in Computer(school(1, 1), 0).readings(MONDAY) if each.slot is not None)
    assert slots == {f"{MONDAY}/{number}": len(Direction) for number in range(1, 5)}
