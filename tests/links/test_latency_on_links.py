"""Round trips with and without load, on a link whose queue is known: the same packets tell both."""

import pytest

from mektep_wire import Direction, EngineName, Metric
from tests.support.links import Link, Shape, laboratory
from tests.support.links.measuring import measure, measuring_server

pytestmark = [pytest.mark.rights, pytest.mark.slow, pytest.mark.slow_links]

RTT_MS, QUEUE_MS = 40.0, 400.0
BLOATED = Link(
    down=Shape(rate_mbps=5, delay_ms=RTT_MS / 2), up=Shape(rate_mbps=5, delay_ms=RTT_MS / 2, queue_ms=QUEUE_MS)
)


def test_a_queue_shows_under_load_alone() -> None:
    with laboratory(BLOATED) as lab, measuring_server(lab.server) as server:
        found = measure(lab.school, server, "--direction", "upload", "--full")
    upload = found.throughput(Direction.UPLOAD)
    idle_ms, loaded_ms = found.value(Metric.IDLE_RTT_MS), upload.values[Metric.LOADED_RTT_MS]
    assert idle_ms == pytest.approx(RTT_MS, abs=8.0)
    assert RTT_MS + QUEUE_MS / 3 < loaded_ms < RTT_MS + QUEUE_MS * 1.1
    assert upload.loaded_rtt_engine is EngineName.UDP_ECHO
    assert 60_000 / (RTT_MS + QUEUE_MS * 1.1) < upload.values[Metric.RESPONSIVENESS_RPM] < 60_000 / (2 * RTT_MS)
    assert upload.sample_counts[Metric.RESPONSIVENESS_RPM] > 20
    assert upload.intervals[Metric.LOADED_PACKET_LOSS_RATIO].high > 0.0
