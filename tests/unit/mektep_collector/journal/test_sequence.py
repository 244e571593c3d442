from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.journal.sequence import SeqRange, missing, runs

numbers = st.sets(st.integers(1, 60)).map(sorted)


def _expanded(ranges: list[SeqRange]) -> list[int]:
    return [number for piece in ranges for number in range(piece.first, piece.last + 1)]


@given(numbers)
def test_runs_hold_exactly_the_numbers_in_the_fewest_ranges(given_numbers: list[int]) -> None:
    found = runs(given_numbers)
    assert _expanded(found) == given_numbers
    assert all(left.last + 1 < right.first for left, right in pairwise(found))


@given(numbers)
def test_what_is_missing_and_what_came_make_all_up_to_the_last(given_numbers: list[int]) -> None:
    found = runs(given_numbers)
    everything = sorted(_expanded(missing(found)) + given_numbers)
    assert everything == list(range(1, (given_numbers[-1] if given_numbers else 0) + 1))
