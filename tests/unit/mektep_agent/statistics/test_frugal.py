"""The frugal test over links on paper: when it stops, what it says, and what it never says."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.sample import Point, TcpCounters, ThroughputSample
from mektep_agent.statistics.frugal import FRUGAL_METHOD, FrugalStop, frugal_throughput
from mektep_agent.statistics.link_knowledge import LinkKnowledge, learn
from mektep_agent.statistics.steady import LEAST_BYTES, LEAST_S, Demand, steady_part
from mektep_wire import StopReason
from tests.support.transfers import burst, noisy, points_of, sample_of, started

rates_mbps = st.floats(1.0, 300.0)
rtts_s = st.floats(0.01, 0.6)


def stopped_at(points: tuple[Point, ...], knowledge: LinkKnowledge | None = None) -> int:
    """Return how many points the rule wanted, all of them where it never stopped."""
    rule = FrugalStop(knowledge)
    for count in range(1, len(points) + 1):
        if rule.decide(points[:count]) is StopReason.CONVERGED:
            return count
    return len(points)


@given(rates_mbps, rtts_s)
def test_a_clean_link_has_its_rate_however_far_away(rate_mbps: float, rtt_s: float) -> None:
    points = points_of(started(rate_mbps, rtt_s))
    found = frugal_throughput(sample_of(points))
    assert found.value_mbps == pytest.approx(rate_mbps, rel=0.02)
    assert found.method == FRUGAL_METHOD
    assert found.interval is not None
    assert found.interval.low <= found.value_mbps <= found.interval.high


@given(st.floats(2.0, 300.0), st.floats(0.01, 0.08))
def test_a_clean_link_nearby_takes_less_than_two_seconds(rate_mbps: float, rtt_s: float) -> None:
    points = points_of(started(rate_mbps, rtt_s))
    assert points[stopped_at(points) - 1].elapsed_s <= 2.0


@given(rates_mbps, rtts_s)
def test_it_never_stops_before_the_link_is_full(rate_mbps: float, rtt_s: float) -> None:
    rate = started(rate_mbps, rtt_s)
    points = points_of(rate)
    assert rate(points[stopped_at(points) - 1].elapsed_s) >= 0.98 * rate_mbps


@pytest.mark.parametrize("rate_mbps", [2.0, 20.0, 200.0])
@pytest.mark.parametrize("share", [0.02, 0.06, 0.1, 0.15])
def test_noise_makes_it_longer_and_not_wrong(rate_mbps: float, share: float) -> None:
    errors = []
    for seed in range(100):
        points = points_of(noisy(started(rate_mbps, 0.04), share, Random(seed)))
        errors.append(abs(frugal_throughput(sample_of(points)).value_mbps / rate_mbps - 1))
    assert sorted(errors)[94] <= 0.05
    assert max(errors) <= share


@given(rates_mbps, rtts_s, st.floats(1.5, 20.0))
def test_a_faster_link_of_the_same_course_has_the_faster_figure(rate_mbps: float, rtt_s: float, times: float) -> None:
    points = points_of(started(rate_mbps, rtt_s))
    scaled = tuple(Point(point.elapsed_s, int(point.total_bytes * times)) for point in points)
    one, other = frugal_throughput(sample_of(points)), frugal_throughput(sample_of(scaled))
    assert other.value_mbps == pytest.approx(one.value_mbps * times, rel=0.02)


def test_a_link_that_never_settles_runs_to_its_end() -> None:
    points = points_of(lambda at_s: 5.0 + 2.0 * at_s)
    assert stopped_at(points) == len(points)
    found = frugal_throughput(sample_of(points))
    assert found.interval is not None
    assert found.interval.high - found.interval.low > 0.1 * found.value_mbps


@given(st.floats(0.2, 2.0))
def test_silence_between_the_first_rounds_is_not_a_steady_rate(rtt_s: float) -> None:
    """On a long path each round is a burst with silence behind it, and the next burst is twice as large."""
    points = points_of(lambda at_s: 2.0 ** (at_s // rtt_s) if at_s % rtt_s < 0.1 else 0.0, length_s=6 * rtt_s)
    assert all(steady_part(points[:count], Demand()) is None for count in range(1, len(points) + 1))


@given(st.floats(0.1, 300.0))
def test_what_is_steady_has_lasted_and_has_moved_enough(rate_mbps: float) -> None:
    points = points_of(started(rate_mbps, 0.02))
    count = stopped_at(points)
    found = steady_part(points[:count], Demand())
    if found is not None:
        assert found.until_s - found.since_s >= LEAST_S
        assert found.value_mbps * 1e6 / 8 * (found.until_s - found.since_s) >= LEAST_BYTES * 0.95


def test_lost_segments_hold_up_bytes_and_not_the_figure() -> None:
    """At each tenth look a segment is missing: what came after it is not in order until the next look."""
    smooth = points_of(started(20.0, 0.04))
    points = tuple(
        Point(point.elapsed_s, smooth[max(at - 1, 0)].total_bytes if at % 10 < 3 else point.total_bytes,
              point.total_bytes // 1448)
        for at, point in enumerate(smooth)
    )  # fmt: skip
    assert smooth[stopped_at(points) - 1].elapsed_s < 1.5
    assert frugal_throughput(sample_of(points)).value_mbps == pytest.approx(20.0, rel=0.02)


def test_segments_that_bytes_belie_are_not_believed() -> None:
    true = points_of(started(5.0, 0.04))
    points = tuple(Point(point.elapsed_s, point.total_bytes, 100 + 40 * at) for at, point in enumerate(true))
    assert frugal_throughput(sample_of(points)).value_mbps == pytest.approx(5.0, rel=0.02)


def test_an_hour_between_two_looks_is_no_steady_rate() -> None:
    points = points_of(started(20.0, 0.04), length_s=0.3)
    slept = (*points, Point(3600.0, points[-1].total_bytes + 1000))
    assert stopped_at(slept) == len(slept)


@given(st.floats(5.0, 50.0), st.floats(2.0, 4.0), st.floats(0.5, 4.0))
def test_one_audit_teaches_a_burst(rate_mbps: float, times: float, burst_s: float) -> None:
    points = points_of(burst(rate_mbps, times, burst_s))
    assert frugal_throughput(sample_of(points)).value_mbps > 1.5 * rate_mbps
    knowledge = learn(LinkKnowledge(), sample_of(points))
    assert frugal_throughput(sample_of(points), knowledge).value_mbps == pytest.approx(rate_mbps, rel=0.05)
    assert knowledge.audit_count == 1
    assert knowledge.last_error_ratio is not None
    assert knowledge.last_error_ratio > 0.5


@given(rates_mbps, st.floats(0.01, 0.3))
def test_a_link_without_a_burst_teaches_none(rate_mbps: float, rtt_s: float) -> None:
    knowledge = learn(LinkKnowledge(), sample_of(points_of(started(rate_mbps, rtt_s))))
    assert (knowledge.burst_bytes, knowledge.longer_ratio) == (0, 1.0)


def test_a_segment_lost_behind_the_burst_does_not_keep_it_from_teaching() -> None:
    """What follows the lost one is not in order for a second; by segments the link is as even as it was."""
    smooth = points_of(burst(3.0, 3.0, 2.0))
    held = next(point.total_bytes for point in smooth if point.elapsed_s >= 8.4)
    points = tuple(
        Point(
            point.elapsed_s,
            held if 8.4 <= point.elapsed_s < 9.6 else point.total_bytes,
            point.total_bytes // 1448,
        )
        for point in smooth
    )
    assert learn(LinkKnowledge(), sample_of(points)).burst_bytes > 2.0 * 9e6 / 8
    unseen = tuple(Point(point.elapsed_s, point.total_bytes) for point in points)
    assert learn(LinkKnowledge(), sample_of(unseen)) == LinkKnowledge()


def test_a_burst_that_is_gone_is_forgotten() -> None:
    knowledge = learn(LinkKnowledge(), sample_of(points_of(burst(10.0, 3.0, 2.0))))
    assert knowledge.burst_bytes > 0
    for _ in range(20):
        knowledge = learn(knowledge, sample_of(points_of(started(10.0, 0.04))))
    assert knowledge.burst_bytes == 0


def test_a_second_half_of_stalls_teaches_nothing() -> None:
    stalls = points_of(lambda at_s: 10.0 if at_s < 4 or int(at_s * 2) % 2 else 0.5)
    assert learn(LinkKnowledge(), sample_of(stalls)) == LinkKnowledge()


def _dropped(points: tuple[Point, ...], ratio: float) -> ThroughputSample:
    sent_bytes = points[-1].total_bytes
    tcp = TcpCounters(bytes_sent=sent_bytes, bytes_retransmitted=int(ratio * sent_bytes))
    return msgspec.structs.replace(sample_of(points), tcp=tcp)


def test_an_uneven_test_behind_a_policer_asks_for_all_the_length_there_is() -> None:
    plateaus = points_of(lambda at_s: 36.0 if at_s < 1.2 else (26.0, 33.0, 30.0, 38.0, 25.0, 31.0)[int(at_s * 1.7) % 6])
    assert frugal_throughput(sample_of(plateaus)).value_mbps == pytest.approx(36.0, rel=0.02)
    knowledge = learn(LinkKnowledge(), _dropped(plateaus, 0.08))
    assert stopped_at(plateaus, knowledge) == len(plateaus)
    assert learn(LinkKnowledge(), _dropped(plateaus, 0.01)) == LinkKnowledge()


def test_nothing_has_no_throughput() -> None:
    with pytest.raises(ValueError, match="never 0 Mbit/s"):
        frugal_throughput(sample_of((Point(1.0, 0),)))


def test_a_burst_that_is_known_is_not_looked_at_for_longer_behind_it() -> None:
    points = points_of(burst(20.0, 3.0, 3.0))
    knowledge = learn(LinkKnowledge(), sample_of(points))
    stopped_s = points[stopped_at(points, knowledge) - 1].elapsed_s
    passed_s = next(point.elapsed_s for point in points if point.total_bytes >= knowledge.burst_bytes)
    assert stopped_s <= passed_s + 0.75


def test_a_known_burst_that_was_half_used_does_not_raise_the_figure() -> None:
    knowledge = learn(LinkKnowledge(), sample_of(points_of(burst(5.0, 4.0, 4.8))))
    found = frugal_throughput(sample_of(points_of(burst(5.0, 4.0, 2.7))), knowledge)
    assert found.value_mbps == pytest.approx(5.0, rel=0.02)


def test_a_fall_that_tcp_takes_long_to_mend_still_teaches_the_burst() -> None:
    def fallen(at_s: float) -> float:
        if at_s < 2.7:
            return 9.0
        return 3.0 if at_s > 6.2 else (0.6 if int(at_s * 4) % 2 else 3.0)

    knowledge = learn(LinkKnowledge(), sample_of(points_of(fallen)))
    assert knowledge.burst_bytes > 2.7 * 9e6 / 8
    assert knowledge.audit_count == 1
