import pytest
from hypothesis import given

from mektep_collector.store.embedded.schema import KINDS
from mektep_collector.store.planned import PLANS, belongs
from mektep_wire import Direction, Metric, Outcome, ProbeName, Reading
from tests.support.wire_examples import readings


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_has_a_plan_and_every_plan_a_number_on_disk(metric: Metric) -> None:
    assert PLANS[metric]
    assert all((plan.probe, plan.direction) in KINDS for plan in PLANS[metric])


def test_every_probe_has_a_number_on_disk_that_never_changes() -> None:
    assert {(probe.value, direction and direction.value, number) for (probe, direction), number in KINDS.items()} == {
        ("throughput", "download", 1),
        ("throughput", "upload", 2),
        ("latency", None, 3),
        ("path", None, 4),
        ("platform", None, 5),
        ("outage", None, 6),
    }
    assert {probe for probe, _ in KINDS} == set(ProbeName)
    assert {direction for _, direction in KINDS if direction} == set(Direction)


@given(readings())
def test_a_good_run_belongs_where_it_has_a_value_and_a_failed_one_where_it_should_have(reading: Reading) -> None:
    for metric in Metric:
        if reading.outcome is Outcome.OK:
            assert not belongs(reading, metric) or metric in reading.values
        elif reading.direction is Direction.DOWNLOAD:
            assert belongs(reading, Metric.DOWNLOAD_THROUGHPUT_MBPS)
            assert not belongs(reading, Metric.UPLOAD_THROUGHPUT_MBPS)
            assert not belongs(reading, Metric.IDLE_RTT_MS)
