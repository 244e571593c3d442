"""Runs of sequence numbers: pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class SeqRange(NamedTuple):
    """Sequence numbers from `first` to `last`, both included."""

    first: int
    last: int


def runs(numbers: Sequence[int]) -> list[SeqRange]:
    """Return ascending, distinct numbers as the fewest ranges."""
    if not numbers:
        return []
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return [SeqRange(numbers[0], numbers[-1])]
    found: list[SeqRange] = []
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            found.append(SeqRange(first, last))
            first = number
        last = number
    found.append(SeqRange(first, last))
    return found


def missing(received: Iterable[SeqRange]) -> list[SeqRange]:
    """Return what lies between 1 and the greatest received number and is in none of `received`, which ascends."""
    gaps: list[SeqRange] = []
    expected = 1
    for piece in received:
        if piece.first > expected:
            gaps.append(SeqRange(expected, piece.first - 1))
        expected = piece.last + 1
    return gaps
