from functools import reduce
from operator import add

from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.tally import Tally

tallies = st.builds(Tally, **dict.fromkeys(Tally.__struct_fields__, st.integers(0, 500)))


def total(found: list[Tally]) -> Tally:
    return reduce(add, found, Tally())


@given(st.lists(tallies, max_size=40), st.integers(0, 40))
def test_a_period_is_the_sum_of_its_parts(days: list[Tally], cut: int) -> None:
    assert total(days) == total(days[:cut]) + total(days[cut:])


@given(st.lists(tallies, max_size=40))
def test_the_order_of_days_does_not_matter(days: list[Tally]) -> None:
    assert total(days[::-1]) == total(days)


def test_runs_are_the_tests_that_were_made() -> None:
    assert Tally(ok_count=3, failed_count=2, skipped_count=7).runs_count == 5
