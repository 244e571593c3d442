import msgspec
import pytest
from hypothesis import given

from mektep_collector.store.embedded.schema import KINDS
from mektep_collector.store.planned import PLANS, belongs
from mektep_wire import Direction, EngineName, Metric, Outcome, ProbeName, Reading
from tests.support.school_device import SchoolDevice
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


def test_a_failed_step_of_the_path_is_its_own_steps_failure_only() -> None:
    failed = SchoolDevice().reading(1, outcome=Outcome.FAILED)
    names = msgspec.structs.replace(failed, probe=ProbeName.PATH, engine=EngineName.DNS)
    assert belongs(names, Metric.DNS_LOOKUP_MS)
    assert not belongs(names, Metric.GATEWAY_RTT_MS)
    assert not belongs(names, Metric.TCP_CONNECT_MS)


@given(readings())
def test_a_good_run_belongs_where_it_has_a_value_and_a_failed_one_where_it_should_have(reading: Reading) -> None:
    for metric in Metric:
        if reading.outcome is Outcome.OK:
            assert not belongs(reading, metric) or metric in reading.values
        elif reading.direction is Direction.DOWNLOAD:
            assert belongs(reading, Metric.DOWNLOAD_THROUGHPUT_MBPS)
            assert not belongs(reading, Metric.UPLOAD_THROUGHPUT_MBPS)
            assert not belongs(reading, Metric.IDLE_RTT_MS)
