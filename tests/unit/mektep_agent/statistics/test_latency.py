"""Latency statistics: order statistics of what was observed, and loss that never claims more than it saw."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.sample import EchoSample
from mektep_agent.statistics.latency import latency, nearest_rank, wilson

rtts = st.lists(st.none() | st.floats(0, 10_000), min_size=1, max_size=50).filter(
    lambda found: any(rtt is not None for rtt in found)
)


def sample(rtts_ms: list[float | None]) -> EchoSample:
    return EchoSample(rtts_ms=tuple(rtts_ms), duration_s=1.0, bytes_sent=0, bytes_received=0)


@given(rtts)
def test_every_stated_time_was_observed(found: list[float | None]) -> None:
    stated = latency(sample(found))
    assert {stated.median_ms, stated.least_ms, stated.p95_ms} <= set(found)


@given(rtts)
def test_the_statistics_are_in_order(found: list[float | None]) -> None:
    stated = latency(sample(found))
    assert stated.least_ms <= stated.median_ms <= stated.p95_ms
    assert stated.pdv_p95_ms == stated.p95_ms - stated.least_ms


@given(rtts, st.randoms())
def test_the_order_of_the_probes_does_not_matter(found: list[float | None], random: Random) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert latency(sample(found)) == latency(sample(shuffled))


@given(rtts)
def test_a_further_lost_probe_never_lowers_the_loss(found: list[float | None]) -> None:
    assert latency(sample([*found, None])).loss_ratio >= latency(sample(found)).loss_ratio


def test_nearest_rank_of_five_values() -> None:
    values = [15.0, 20.0, 35.0, 40.0, 50.0]
    assert [nearest_rank(values, ratio) for ratio in (0.05, 0.30, 0.40, 0.50, 1.0)] == [15.0, 20.0, 20.0, 35.0, 50.0]


def test_none_lost_of_sixty_is_not_known_to_be_no_loss() -> None:
    low, high = wilson(0, 60)
    assert low == 0.0
    assert high == pytest.approx(0.0602, abs=5e-4)


def test_wilson_agrees_with_the_published_example() -> None:
    # Newcombe (1998), table I: 81 of 263, Wilson score: 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@given(st.integers(1, 1_000), st.data())
def test_the_interval_holds_the_share(count: int, data: st.DataObject) -> None:
    hit_count = data.draw(st.integers(0, count))
    low, high = wilson(hit_count, count)
    assert 0.0 <= low <= hit_count / count <= high <= 1.0


def test_no_answer_at_all_has_no_latency() -> None:
    with pytest.raises(ValueError, match="one value at least"):
        latency(sample([None, None]))
