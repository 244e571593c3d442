import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.engines.ndt7.ledger import UploadLedger
from mektep_agent.engines.ndt7.measurement import Report
from mektep_agent.sample import Point


def take(ledger: UploadLedger, elapsed_s: float, count: int, *, now_s: float | None = None, sent: int = 10**9) -> None:
    at_s = elapsed_s if now_s is None else now_s
    ledger.take(
        Report(elapsed_s=elapsed_s, received_bytes=count), elapsed_s=at_s, since_request_s=at_s, sent_bytes=sent
    )


def test_honest_words_become_points() -> None:
    ledger = UploadLedger(is_secure=False)
    for elapsed_s, count in ((0.25, 1000), (0.5, 1000), (0.75, 9000)):
        take(ledger, elapsed_s, count)
    assert ledger.points == [Point(0.25, 1000), Point(0.5, 1000), Point(0.75, 9000)]
    assert ledger.refused_count == 0


@pytest.mark.parametrize(
    ("elapsed_s", "count", "now_s"),
    [
        pytest.param(1.2, 999, 1.2, id="count goes back"),
        pytest.param(0.9, 2000, 1.2, id="time goes back"),
        pytest.param(1.0, 2000, 1.2, id="time stands still"),
        pytest.param(1.2, 10_017, 1.2, id="more than was sent"),
        pytest.param(2.0, 2000, 1.2, id="from the future"),
        pytest.param(1.1, 2000, 9.0, id="seconds taken for milliseconds"),
    ],
)
def test_a_lie_is_left_out_and_counted(elapsed_s: float, count: int, now_s: float) -> None:
    ledger = UploadLedger(is_secure=False)
    take(ledger, 1.0, 1000)
    take(ledger, elapsed_s, count, now_s=now_s, sent=10_000)
    assert ledger.points == [Point(1.0, 1000)]
    assert ledger.refused_count == 1


def test_a_lie_does_not_spoil_what_comes_after_it() -> None:
    ledger = UploadLedger(is_secure=False)
    take(ledger, 0.25, 10**12)
    take(ledger, 0.5, 500)
    assert ledger.points == [Point(0.5, 500)]


def test_tls_may_carry_more_than_our_socket_took() -> None:
    for is_secure, count in ((True, 1), (False, 0)):
        ledger = UploadLedger(is_secure=is_secure)
        take(ledger, 1.0, 1_005_000, sent=1_000_000)
        assert len(ledger.points) == count


def test_a_report_without_a_count_is_neither_point_nor_lie() -> None:
    ledger = UploadLedger(is_secure=False)
    ledger.take(Report(), elapsed_s=1.0, since_request_s=1.0, sent_bytes=10)
    assert (ledger.points, ledger.refused_count) == ([], 0)


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 10**7), st.floats(0, 20)), max_size=30))
def test_points_only_ever_go_forward_within_what_was_sent(words: list[tuple[float, int, float]]) -> None:
    ledger = UploadLedger(is_secure=False)
    for elapsed_s, count, now_s in words:
        take(ledger, elapsed_s, count, now_s=now_s, sent=10**6)
    for before, after in zip(ledger.points, ledger.points[1:], strict=False):
        assert before.elapsed_s < after.elapsed_s
        assert before.total_bytes <= after.total_bytes
    assert all(point.total_bytes <= 10**6 + 16 for point in ledger.points)
    assert len(ledger.points) + ledger.refused_count == len(words)
