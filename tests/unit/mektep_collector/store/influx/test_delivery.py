"""What a server refuses is found one by one, and everything else is delivered."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.store.error import StoreError
from mektep_collector.store.influx.delivery import LINES_A_WRITE, deliver
from mektep_collector.store.influx.server import RefusedError


class PickyServer:
    """Takes all lines but the bad ones, as InfluxDB does, and at most `limit` at once."""

    def __init__(self, bad: set[str], limit: int = 10**9) -> None:
        self.taken: set[str] = set()
        self.writes_count = 0
        self._bad = bad
        self._limit = limit

    def write(self, lines: Sequence[str]) -> None:
        self.writes_count += 1
        if len(lines) > self._limit:
            raise RefusedError("request too large")
        self.taken |= set(lines) - self._bad
        refused = [line for line in lines if line in self._bad]
        if refused:
            raise RefusedError(f"partial write: {refused[0]} dropped={len(refused)}")


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 50))
def test_the_bad_are_named_and_the_good_are_in(are_bad: list[bool], limit: int) -> None:
    lines = [f"point {place}" for place in range(len(are_bad))]
    bad = {line for line, is_bad in zip(lines, are_bad, strict=True) if is_bad}
    server = PickyServer(bad, limit)
    refused = deliver(server, lines)
    assert [letter.line for letter in refused] == [line for line in lines if line in bad]
    assert all(letter.reason.startswith(f"partial write: {letter.line} ") for letter in refused)
    assert server.taken == set(lines) - bad


def test_one_bad_line_among_five_thousand_costs_some_writes_more_and_not_thousands() -> None:
    server = PickyServer({"point 4999"})
    deliver(server, [f"point {place}" for place in range(LINES_A_WRITE)])
    assert server.writes_count < 30


def test_a_long_list_goes_in_parts() -> None:
    server = PickyServer(set(), limit=LINES_A_WRITE)
    assert deliver(server, [f"point {place}" for place in range(2 * LINES_A_WRITE + 1)]) == []
    assert server.writes_count == 3


def test_a_server_that_is_away_is_no_refusal() -> None:
    class Away:
        def write(self, lines: Sequence[str]) -> None:
            raise StoreError(f"cannot be reached with {len(lines)} lines")

    with pytest.raises(StoreError, match="cannot be reached"):
        deliver(Away(), ["point 1"])
