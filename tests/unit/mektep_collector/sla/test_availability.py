"""Availability: outages and failed tests count once, whoever tells of them, in whatever order and pieces."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.availability import RUN_S, Availability, FailedRun, availability
from mektep_collector.sla.outage import LINE_CAUSES, OutageSpan, down_s
from mektep_wire import OutageCause

DAY = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
END_S = 36_000
PC, LAPTOP = "pc", "laptop"


def at(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


def span(begin_s: float, end_s: float, cause: OutageCause = OutageCause.PROVIDER, device: str = PC,
         school_s: float | None = None, begin_uncertainty_s: float = 0.0) -> OutageSpan:  # fmt: skip
    return OutageSpan(
        device_id=device, begin=at(begin_s), end=at(end_s), cause=cause, school_s=school_s,
        begin_uncertainty_s=begin_uncertainty_s,
    )  # fmt: skip


def share(ok_count: int, failed: Sequence[FailedRun], outages: Sequence[OutageSpan]) -> Availability:
    return availability(ok_count, failed, outages, DAY, at(END_S))


devices = st.sampled_from([PC, LAPTOP])
moments = st.integers(-3_600, END_S + 3_600)
# An outage may reach beyond the period; the runs that are counted are those of the period.
runs = st.builds(lambda device, second: FailedRun(device, at(second)), devices, st.integers(0, END_S - 1))


@st.composite
def _spans(draw: st.DrawFn) -> OutageSpan:
    begin_s = draw(moments)
    length_s = draw(st.integers(0, 40_000))
    school_s = draw(st.none() | st.integers(0, length_s))
    return span(begin_s, begin_s + length_s, draw(st.sampled_from(OutageCause)), draw(devices), school_s)


spans = st.lists(_spans(), max_size=6)


def ratio_of(found: Availability) -> float:
    return 1.0 if found.ratio is None else found.ratio


@given(ok_count=st.integers(0, 500), failed=st.lists(runs, max_size=20), outages=spans, one_more=runs)
def test_a_failed_test_more_never_raises_availability(
    ok_count: int, failed: list[FailedRun], outages: list[OutageSpan], one_more: FailedRun
) -> None:
    assert ratio_of(share(ok_count, [*failed, one_more], outages)) <= ratio_of(share(ok_count, failed, outages))


@given(ok_count=st.integers(0, 500), failed=st.lists(runs, max_size=20), outages=spans, where=st.floats(0, 1))
def test_an_outage_told_in_two_pieces_is_the_same_outage(
    ok_count: int, failed: list[FailedRun], outages: list[OutageSpan], where: float
) -> None:
    if not outages:
        return
    whole = msgspec.structs.replace(outages[0], school_s=None)
    middle = whole.begin + where * (whole.end - whole.begin)
    pieces = [msgspec.structs.replace(whole, end=middle), msgspec.structs.replace(whole, begin=middle)]
    joined = share(ok_count, failed, [whole, *outages[1:]])
    split = share(ok_count, failed, [*pieces, *outages[1:]])
    assert split.outage_s == pytest.approx(joined.outage_s, abs=1e-5)
    assert (split.failed_count, split.failed_in_outage_count) == (joined.failed_count, joined.failed_in_outage_count)
    assert ratio_of(split) == pytest.approx(ratio_of(joined), abs=1e-9)


@given(ok_count=st.integers(0, 500), failed=st.lists(runs, max_size=20), outages=spans, seed=st.randoms())
def test_the_order_does_not_matter(
    ok_count: int, failed: list[FailedRun], outages: list[OutageSpan], seed: Random
) -> None:
    mixed_runs, mixed_outages = list(failed), list(outages)
    seed.shuffle(mixed_runs)
    seed.shuffle(mixed_outages)
    assert share(ok_count, mixed_runs, mixed_outages) == share(ok_count, failed, outages)


@given(ok_count=st.integers(0, 500), failed=st.lists(runs, max_size=20), outages=spans)
def test_an_outage_that_is_told_twice_counts_once(
    ok_count: int, failed: list[FailedRun], outages: list[OutageSpan]
) -> None:
    once, twice = share(ok_count, failed, outages), share(ok_count, failed, [*outages, *outages])
    assert (once.outage_s, once.failed_count, once.ratio) == (twice.outage_s, twice.failed_count, twice.ratio)


@given(outages=spans)
def test_no_more_is_down_than_there_was_time(outages: list[OutageSpan]) -> None:
    longest_s = sum((one.end - one.begin).total_seconds() for one in outages if one.cause in LINE_CAUSES)
    assert 0.0 <= down_s(outages, DAY, at(END_S)) <= min(END_S, longest_s) + 1e-6


def test_failed_tests_inside_an_outage_belong_to_it() -> None:
    failed = [FailedRun(PC, at(second)) for second in (3_700, 4_000, 4_500, 9_000)]
    found = share(30, failed, [span(3_600, 7_200)])
    assert (found.failed_count, found.failed_in_outage_count, found.outage_s) == (1, 3, 3_600.0)
    assert found.ratio == 30 / (30 + 1 + 3_600 / RUN_S)


def test_a_test_that_failed_before_the_next_beat_noticed_belongs_to_the_outage_too() -> None:
    early = [FailedRun(PC, at(3_570))]
    assert share(1, early, [span(3_600, 7_200, begin_uncertainty_s=60.0)]).failed_count == 0
    assert share(1, early, [span(3_600, 7_200)]).failed_count == 1


def test_another_computers_failure_is_its_own() -> None:
    assert share(1, [FailedRun(LAPTOP, at(4_000))], [span(3_600, 7_200)]).failed_count == 1


def test_two_computers_that_saw_the_same_outage_saw_one() -> None:
    assert share(1, [], [span(3_600, 7_200), span(3_660, 7_260, device=LAPTOP)]).outage_s == 3_660.0


@pytest.mark.parametrize("cause", sorted(set(OutageCause) - LINE_CAUSES))
def test_a_computer_without_power_and_a_server_that_is_away_take_nothing_from_the_line(cause: OutageCause) -> None:
    found = share(10, [FailedRun(PC, at(4_000))], [span(3_600, 7_200, cause)])
    assert (found.ratio, found.outage_count, found.failed_in_outage_count) == (1.0, 0, 1)


def test_nights_do_not_count() -> None:
    assert share(10, [], [span(0, 86_400, school_s=7_200.0)]).outage_s == pytest.approx(END_S * 7_200 / 86_400)


def test_nothing_made_and_nothing_down_is_unknown() -> None:
    assert share(0, [], []).ratio is None
    assert share(0, [], [span(0, 900)]).ratio == 0.0
