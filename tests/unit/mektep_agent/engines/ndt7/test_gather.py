from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.engines.ndt7.gather import Gather

MIB = 1 << 20


def settled_pause_s(rate_mbps: float, buffer_bytes: int, window_bytes: int = 1 << 40) -> float:
    """Return where the pause settles on a link that delivers its rate, as far as the window lets it."""
    gather, pause_s, elapsed_s = Gather(), 0.001, 0.0
    while elapsed_s < 10.0:
        elapsed_s += pause_s
        pause_s = gather.next_pause_s(min(int(rate_mbps * 125_000 * pause_s), window_bytes), buffer_bytes, elapsed_s)
    return pause_s


def test_few_large_reads_where_the_buffer_allows() -> None:
    assert 0.05 < settled_pause_s(100, 6 * MIB) <= 0.1
    assert 0.004 < settled_pause_s(1000, 6 * MIB) < 0.02
    assert settled_pause_s(1, 6 * MIB) <= 0.1


def test_a_small_receive_window_is_never_filled_by_waiting() -> None:
    buffer_bytes = 131_072
    pause_s = settled_pause_s(20, buffer_bytes, window_bytes=buffer_bytes // 2)
    assert pause_s * 20 * 125_000 <= buffer_bytes / 2


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**8), st.floats(0, 20)), max_size=30))
def test_the_pause_stays_within_its_bounds(reads: list[tuple[int, int, float]]) -> None:
    gather = Gather()
    for read_bytes, buffer_bytes, elapsed_s in reads:
        assert 0 <= gather.next_pause_s(read_bytes, buffer_bytes, elapsed_s) <= min(0.1, elapsed_s * 0.1)
