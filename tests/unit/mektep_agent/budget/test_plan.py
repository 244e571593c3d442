"""The plan of a month under a cap: never past it by more than a test, spread evenly, more budget never fewer tests."""

import itertools
import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.budget.plan import (
    PLATFORM_BYTES,
    Choice,
    decide,
    dither_of,
    expected_test_bytes,
    reserve_for,
    share_of_ticks,
)
from mektep_wire import ProbeName, Target
from tests.support.school_assignment import DEVICE_ID, school

MB = 1_000_000
SLOTS_COUNT = 88


def month(
    end_bytes: int,
    costs: list[int],
    *,
    expected: int | None = None,
    off: frozenset[int] = frozenset(),
    seed: str = DEVICE_ID,
) -> list[int]:
    """Return the numbers of the slots that ran; those in `off` never came due."""
    line, used = 0.0, 0
    ran: list[int] = []
    recent: list[int] = []
    for number, cost in enumerate(costs):
        if number in off:
            continue
        mean = sum(recent[-8:]) // len(recent[-8:]) if recent else expected or cost
        decision = decide(
            line_bytes=line, used_bytes=used, end_bytes=end_bytes, slots_left_count=len(costs) - number,
            test_bytes=expected if expected is not None else mean, dither=dither_of(seed, str(len(ran))),
        )  # fmt: skip
        line = decision.line_bytes
        if decision.choice is Choice.RUN:
            ran.append(number)
            used += cost
            recent.append(cost)
    return ran


@given(
    st.integers(0, 3_000 * MB),
    st.lists(st.integers(1, 60 * MB), min_size=1, max_size=100),
    st.integers(1, 60 * MB),
    st.text(max_size=8),
)
def test_the_cap_is_never_passed_by_more_than_one_test(end: int, costs: list[int], expected: int, seed: str) -> None:
    for guess in (None, expected):
        ran = month(end, costs, expected=guess, seed=seed)
        used = sum(costs[number] for number in ran)
        assert used - (costs[ran[-1]] if ran else 0) <= end


@given(st.integers(0, 100 * MB * SLOTS_COUNT), st.integers(0, 100 * MB), st.integers(1, 90 * MB), st.text(max_size=8))
def test_more_budget_never_means_fewer_tests(end: int, more: int, cost: int, seed: str) -> None:
    costs = [cost] * SLOTS_COUNT
    tight, ample = (month(cap, costs, expected=cost, seed=seed) for cap in (end, end + more))
    for number in range(SLOTS_COUNT):
        assert sum(one <= number for one in ample) >= sum(one <= number for one in tight)


@given(st.floats(0.02, 1.0), st.text(max_size=8))
def test_what_the_cap_allows_is_run_and_spread_evenly(share: float, seed: str) -> None:
    cost = 10 * MB
    ran = month(int(share * SLOTS_COUNT * cost), [cost] * SLOTS_COUNT, expected=cost, seed=seed)
    assert abs(len(ran) - share * SLOTS_COUNT) <= 1.01
    for length in (11, 22, 44):
        for begin in range(SLOTS_COUNT - length + 1):
            count = sum(begin <= number < begin + length for number in ran)
            assert abs(count - share * length) <= 2.2


@given(st.floats(1.0, 5.0), st.text(max_size=8), st.randoms(use_true_random=False))
def test_a_cap_that_suffices_leaves_nothing_out(factor: float, seed: str, chance: random.Random) -> None:
    costs = [chance.randrange(5 * MB, 15 * MB) for _ in range(SLOTS_COUNT)]
    assert month(int(factor * 15 * MB * SLOTS_COUNT), costs, expected=15 * MB, seed=seed) == list(range(SLOTS_COUNT))


def test_every_slot_of_the_day_gets_its_part_even_where_the_budget_is_for_one_in_four() -> None:
    counted: Counter[int] = Counter()
    for device in range(50):
        ran = month(SLOTS_COUNT // 4 * 10 * MB, [10 * MB] * SLOTS_COUNT, expected=10 * MB, seed=f"device {device}")
        counted.update(number % 4 for number in ran)
    assert min(counted.values()) > 0.8 * sum(counted.values()) / 4


def test_days_that_the_computer_was_off_leave_the_rest_more_and_not_a_rush() -> None:
    off = frozenset(range(20, 60))
    ran = month(22 * 10 * MB, [10 * MB] * SLOTS_COUNT, expected=10 * MB, off=off)
    assert len(ran) >= 19
    late = [number for number in ran if number >= 60]
    assert sum(number < 74 for number in late) <= len(late) / 2 + 2


def test_after_one_test_that_took_half_the_month_the_rest_is_thinned_and_not_stopped() -> None:
    seed = next(name for name in map(str, itertools.count()) if dither_of(name, "0") < 0.5)
    costs = [220 * MB] + [10 * MB] * (SLOTS_COUNT - 1)
    ran = month(440 * MB, costs, expected=10 * MB, seed=seed)
    gaps = [after - before for before, after in itertools.pairwise(ran)]
    assert ran[0] == 0
    assert 22 <= len(ran) <= 24
    assert max(gaps) <= 12


def test_latency_stays_longest() -> None:
    reserve = reserve_for(school(), school_s=22 * 11 * 3_600)
    assert share_of_ticks(reserve.total_bytes, reserve) == (1.0, 1.0)
    latency, path = share_of_ticks(reserve.latency_bytes + reserve.path_bytes // 2, reserve)
    assert latency == 1.0
    assert 0.4 < path < 0.6
    latency, path = share_of_ticks(reserve.latency_bytes // 2, reserve)
    assert 0.4 < latency < 0.6
    assert path == 0.0
    assert share_of_ticks(0, reserve) == share_of_ticks(-1, reserve) == (0.0, 0.0)


def test_a_month_of_round_trips_and_deliveries_needs_some_tens_of_megabytes() -> None:
    reserve = reserve_for(school(), school_s=22 * 11 * 3_600)
    assert 10 * MB < reserve.total_bytes < 50 * MB


def test_each_learning_platform_has_its_hourly_page_set_aside_and_goes_before_latency() -> None:
    school_s = 22 * 11 * 3_600.0
    platforms = [Target(probe=ProbeName.PLATFORM, address=f"https://{name}.example/") for name in "abc"]
    without, with_three = reserve_for(school(), school_s), reserve_for(school(targets=platforms), school_s)
    assert with_three.path_bytes - without.path_bytes == 22 * 11 * 3 * PLATFORM_BYTES
    assert with_three.latency_bytes == without.latency_bytes
    assert share_of_ticks(without.latency_bytes, with_three) == (1.0, 0.0)


def test_measured_use_counts_where_it_is_more_than_computed() -> None:
    school_s = 22 * 11 * 3_600.0
    computed = reserve_for(school(), school_s)
    assert reserve_for(school(), school_s, 100 * MB / school_s).total_bytes == 100 * MB
    assert reserve_for(school(), school_s, 1.0) == computed


def test_the_first_test_is_taken_for_a_full_one_on_the_contracted_line() -> None:
    assert expected_test_bytes((), school(contracted_download_mbps=20.0, contracted_upload_mbps=10.0)) == 37_500_000
    assert expected_test_bytes((), school(norm_mbps=40.0)) == 100 * MB
    assert expected_test_bytes((1 * MB, 3 * MB), school()) == 2 * MB
