from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.engines.ndt7.gather import Gather


def marks(*came_bytes: int, in_s: float = 0.1) -> list[int]:
    gather = Gather()
    return [gather.mark_bytes(came, in_s) for came in came_bytes]


def test_reads_stay_small_while_the_rate_grows_and_a_little_longer() -> None:
    assert marks(16_000, 32_000, 64_000, 64_000, 70_000, 64_000) == [1000, 2000, 4000, 4000, 4375, 128_000]


def test_growth_after_a_pause_counts_anew() -> None:
    assert marks(16_000, 0, 0, 0, 32_000, 0) == [1000, 1, 1, 1, 2000, 1]


def test_longer_between_looks_is_not_growth() -> None:
    gather = Gather()
    found = [gather.mark_bytes(round(in_s * 1e6), in_s) for in_s in (0.05, 0.05, 0.05, 0.05, 0.1, 0.2)]
    assert found[3:] == [100_000, 200_000, 400_000]


def test_a_fast_link_leaves_room_in_the_window() -> None:
    assert marks(*[4_000_000] * 5)[-1] == 1 << 19
    assert marks(*[1_250_000] * 5)[-1] == 1 << 21


@given(st.lists(st.integers(0, 10**9), max_size=40))
def test_a_mark_is_a_mark(came_bytes: list[int]) -> None:
    assert all(1 <= mark <= max(1 << 21, max(came_bytes) // 16) for mark in marks(*came_bytes))
