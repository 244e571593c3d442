"""A link's numbers: what they promise, and which are refused."""

import pytest

from tests.support.links import Shape, symmetric


def test_goodput_is_the_rate_less_headers() -> None:
    assert Shape(rate_mbps=100).tcp_goodput_mbps == pytest.approx(96.533, abs=0.001)
    assert Shape(rate_mbps=100).udp_goodput_mbps == pytest.approx(98.133, abs=0.001)


def test_the_queue_is_bounded_in_time_or_in_bytes() -> None:
    assert Shape(rate_mbps=20, queue_ms=100).queue_limit_bytes == 250_000
    assert Shape(rate_mbps=20, queue_ms=100, queue_bytes=64_000).queue_limit_bytes == 64_000


def test_a_symmetric_link_halves_the_round_trip() -> None:
    link = symmetric(20, 40)
    assert (link.down.delay_ms, link.up.delay_ms, link.rtt_ms) == (20, 20, 40)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"rate_mbps": 0.0}, "rate_mbps"),
        ({"rate_mbps": float("nan")}, "rate_mbps"),
        ({"rate_mbps": 1.0, "delay_ms": -1.0}, "delay_ms"),
        ({"rate_mbps": 1.0, "loss_ratio": 1.1}, "loss_ratio"),
        ({"rate_mbps": 1.0, "burst_bytes": 1000}, "burst_rate_mbps"),
        ({"rate_mbps": 1.0, "burst_bytes": 1000, "burst_rate_mbps": 1.0}, "above rate_mbps"),
    ],
)
def test_what_no_link_can_be_is_refused(fields: dict[str, float], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Shape(**fields)  # type: ignore[arg-type]  # the table mixes int and float
