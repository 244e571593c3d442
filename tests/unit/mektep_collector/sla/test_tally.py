from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.tally import DayTally, Tally, total

counts = st.integers(0, 500)
tallies = st.builds(
    Tally,
    **dict.fromkeys(Tally.__struct_fields__, counts),
)
days = st.lists(tallies, max_size=40).map(
    lambda found: [DayTally(day=date(2026, 9, 1) + timedelta(days=n), tally=one) for n, one in enumerate(found)]
)


@given(days, st.integers(0, 40))
def test_a_period_is_the_sum_of_its_parts(found: list[DayTally], cut: int) -> None:
    assert total(found) == total(found[:cut]) + total(found[cut:])


@given(days, st.randoms(use_true_random=False))
def test_the_order_of_days_does_not_matter(found: list[DayTally], random: object) -> None:
    mixed = sorted(found, key=lambda day: day.tally.ok_count)
    assert total(mixed) == total(found)


def test_runs_are_the_tests_that_were_made() -> None:
    assert Tally(ok_count=3, failed_count=2, skipped_count=7).runs_count == 5
