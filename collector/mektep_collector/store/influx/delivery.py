"""Delivers points, and finds out which of them a server refuses: halves what it refused, until it is one alone.

A server that refuses one point of a group has taken the others (a partial write). Writing those again changes nothing.
"""

from collections.abc import Sequence
from typing import Protocol

from mektep_collector.store.influx.dead_letters import DeadLetter
from mektep_collector.store.influx.server import RefusedError

LINES_A_WRITE = 5_000


class Writer(Protocol):
    """What takes points."""

    def write(self, lines: Sequence[str]) -> None:
        """Take points for good. Raises RefusedError when it does not want all of them."""
        ...


def deliver(writer: Writer, lines: Sequence[str]) -> list[DeadLetter]:
    """Write points; return those that are refused, in their order. Raises what the writer does beside RefusedError."""
    refused: list[DeadLetter] = []
    waiting = [lines[start : start + LINES_A_WRITE] for start in range(0, len(lines), LINES_A_WRITE)][::-1]
    while waiting:
        group = waiting.pop()
        try:
            writer.write(group)
        except RefusedError as error:
            if len(group) == 1:
                refused.append(DeadLetter(group[0], str(error)))
                continue
            half = len(group) // 2
            waiting += [group[half:], group[:half]]
    return refused
