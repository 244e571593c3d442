"""A replay says what the rule would have said while the transfer ran, and nothing that came later."""

from collections.abc import Sequence
from itertools import accumulate

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.sample import Point, TcpCounters, ThroughputSample
from mektep_agent.statistics.replay import replay
from mektep_wire import Direction, StopReason
from tests.support.scripted_engines import steady

steps = st.lists(st.tuples(st.floats(0.001, 1.0), st.integers(0, 10**7)), min_size=1, max_size=60)


def transfer(parts: list[tuple[float, int]]) -> ThroughputSample:
    times, totals = (tuple(accumulate(column)) for column in zip(*parts, strict=True))
    points = tuple(Point(at_s, round(total)) for at_s, total in zip(times, totals, strict=True))
    return msgspec.structs.replace(
        steady(Direction.DOWNLOAD, 1.0),
        points=points,
        duration_s=points[-1].elapsed_s,
        bytes_received=points[-1].total_bytes + 1_000,
    )


class Scripted:
    """Stops when so many points are there, and remembers what it was shown."""

    def __init__(self, least_count: int) -> None:
        self.least_count = least_count
        self.seen: list[Sequence[Point]] = []

    def decide(self, points: Sequence[Point]) -> StopReason | None:
        self.seen.append(tuple(points))
        return StopReason.CONVERGED if len(points) >= self.least_count else None


def run_live(sample: ThroughputSample, rule: Scripted) -> list[Point]:
    """Do as an engine does: hand out points as they come, and end at the first word of the rule."""
    points: list[Point] = []
    for point in sample.points[:-1]:
        points.append(point)
        if rule.decide(points):
            return points
    return list(sample.points)


@given(steps, st.integers(1, 70))
def test_a_replay_is_what_a_test_that_was_really_stopped_would_have_kept(
    parts: list[tuple[float, int]], least_count: int
) -> None:
    sample = transfer(parts)
    asked, live = Scripted(least_count), Scripted(least_count)
    replayed = replay(sample, asked.decide)
    assert list(replayed.points) == run_live(sample, live)
    assert asked.seen == live.seen
    assert replayed.duration_s == replayed.points[-1].elapsed_s
    assert replayed.bytes_received <= sample.bytes_received


@given(steps, steps, st.integers(1, 20))
def test_what_came_after_the_stop_changes_nothing(
    parts: list[tuple[float, int]], more: list[tuple[float, int]], least_count: int
) -> None:
    short, long = transfer(parts), transfer([*parts, *more])
    stopped = replay(short, Scripted(least_count).decide)
    if stopped is not short:
        assert replay(long, Scripted(least_count).decide).points == stopped.points


def test_a_rule_that_never_stops_leaves_the_sample_as_it_is() -> None:
    sample = steady(Direction.UPLOAD, 20.0)
    assert replay(sample, Scripted(10_000).decide) is sample


def test_a_cut_transfer_costs_its_share_and_keeps_no_later_counters() -> None:
    whole = msgspec.structs.replace(
        steady(Direction.DOWNLOAD, 8.0), tcp=TcpCounters(min_rtt_ms=20.0, bytes_sent=10**7, bytes_retransmitted=5)
    )
    cut = replay(whole, Scripted(11).decide)
    assert (cut.duration_s, cut.bytes_received, cut.stop_reason) == (1.0, 1_000_000, StopReason.CONVERGED)
    assert cut.tcp == TcpCounters(min_rtt_ms=20.0)
    assert whole.bytes_received == pytest.approx(10 * cut.bytes_received)
