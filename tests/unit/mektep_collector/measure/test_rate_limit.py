from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.measure.rate_limit import Bucket, SourceLimit, source_of


@given(st.lists(st.floats(0, 2), min_size=1, max_size=300), st.floats(1, 50), st.integers(1, 20))
def test_no_pattern_of_asking_draws_more_than_burst_and_rate(
    gaps_s: list[float], per_s: float, burst_count: int
) -> None:
    bucket = Bucket(per_s, burst_count, 0.0)
    now_s, taken = 0.0, 0
    for gap_s in gaps_s:
        now_s += gap_s
        taken += bucket.take(now_s)
    assert taken <= burst_count + now_s * per_s + 1e-6


def test_a_source_gets_its_burst_and_then_its_rate() -> None:
    limit = SourceLimit(10.0, 5, 1_000.0, 0.0)
    assert [limit.admits("192.0.2.1", 0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert limit.admits("192.0.2.1", 0.1)
    assert not limit.admits("192.0.2.1", 0.1)


def test_one_greedy_source_leaves_the_others_theirs() -> None:
    limit = SourceLimit(10.0, 5, 1_000.0, 0.0)
    for _ in range(100):
        limit.admits("192.0.2.1", 0.0)
    assert limit.admits("192.0.2.2", 0.0)


def test_all_sources_together_have_a_limit_too() -> None:
    limit = SourceLimit(10.0, 5, 100.0, 0.0)
    admitted = sum(limit.admits(f"192.0.2.{host}", 0.0) for host in range(250))
    assert admitted == 100


def test_an_ipv6_site_is_one_source() -> None:
    assert source_of("2001:db8:0:1::1") == source_of("2001:db8:0:1:ffff::2") != source_of("2001:db8:0:2::1")
    assert source_of("fe80::1%eth0") == source_of("fe80::2")
    assert source_of("192.0.2.1") == "192.0.2.1"
