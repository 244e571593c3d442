"""The whole measurement, agent against measuring server, on links of known truth: right where it can be, else honest.

The benchmark `tests.bench.links_accuracy` has the full grid and M-Lab's own client; this is its short form. The runs
take their ten seconds a direction side by side, each in a laboratory of its own; all but one are of slow links, so that
they leave the processor to it.
"""

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec
import pytest

from mektep_wire import Direction, FailureKind, Metric, Outcome, StopReason
from tests.support.links import Laboratory, Link, LinkCounters, Shape, laboratory, symmetric
from tests.support.links.measuring import Measurement, RunningMeasurement, measure, measuring_server
from tests.support.links.patience import await_count

pytestmark = [pytest.mark.rights, pytest.mark.slow, pytest.mark.alone]

CLEAN = symmetric(20, 40)
SLOW = symmetric(5, 40)
SATELLITE = Link(
    down=Shape(rate_mbps=2, delay_ms=300, queue_ms=600), up=Shape(rate_mbps=0.7, delay_ms=300, queue_ms=600)
)
TRUSTED_LATE_RATIO = 0.005
GOES = 3
UNANSWERED = {FailureKind.STALLED, FailureKind.CONNECT_TIMEOUT, FailureKind.TIMEOUT}


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A measurement, and what crossed the link during it."""

    measurement: Measurement
    before: LinkCounters
    after: LinkCounters
    overrun_packets: int


def run_on(link: Link, act: Callable[[Laboratory, str], Measurement]) -> Run:
    with laboratory(link) as lab, measuring_server(lab.server) as server:
        before = lab.counters()
        measurement = act(lab, server)
        return Run(
            measurement=measurement,
            before=before,
            after=lab.counters(),
            overrun_packets=lab.links[0].overrun_packets(),
        )


def run_on_a_link_in_time(link: Link, act: Callable[[Laboratory, str], Measurement]) -> Run:
    """A link that delivered late, as the machine was busy, was not the link that it claims to be: run again."""
    for _ in range(GOES):
        run = run_on(link, act)
        if run.after.down.late_ratio <= TRUSTED_LATE_RATIO:
            break
    return run


def undisturbed(lab: Laboratory, server: str) -> Measurement:
    return measure(lab.school, server)


def cut_in_the_middle(lab: Laboratory, server: str) -> Measurement:
    running = RunningMeasurement(lab.school, server, "--direction", "download", "--full")
    await_count(lambda: lab.counters().down.delivered_packets, 1500, timeout_s=30)
    lab.cut()
    return running.result()


def cut_at_once(lab: Laboratory, server: str) -> Measurement:
    running = RunningMeasurement(lab.school, server, "--direction", "download")
    await_count(lambda: lab.counters().down.delivered_packets, 120, timeout_s=30)
    lab.cut()
    return running.result()


def cut_before(lab: Laboratory, server: str) -> Measurement:
    lab.cut()
    return measure(lab.school, server, "--direction", "download")


Runs = dict[str, Future[Run]]


@pytest.fixture(scope="module")
def runs(laboratory_obstacle: str | None) -> Generator[Runs, None, None]:
    if laboratory_obstacle is not None:
        yield {}
        return
    with ThreadPoolExecutor() as side_by_side:
        yield {
            "clean": side_by_side.submit(run_on_a_link_in_time, CLEAN, undisturbed),
            "satellite": side_by_side.submit(run_on, SATELLITE, undisturbed),
            "cut in the middle": side_by_side.submit(run_on, SLOW, cut_in_the_middle),
            "cut at once": side_by_side.submit(run_on, SLOW, cut_at_once),
            "cut before": side_by_side.submit(run_on, SLOW, cut_before),
        }


def test_a_clean_link_is_read_within_three_percent(runs: Runs) -> None:
    run = runs["clean"].result()
    measured = run.measurement
    assert measured.exit_code == 0, measured.messages
    assert measured.value(Metric.DOWNLOAD_THROUGHPUT_MBPS) == pytest.approx(CLEAN.down.tcp_goodput_mbps, rel=0.03)
    assert measured.value(Metric.UPLOAD_THROUGHPUT_MBPS) == pytest.approx(CLEAN.up.tcp_goodput_mbps, rel=0.03)
    assert measured.value(Metric.IDLE_RTT_MIN_MS) == pytest.approx(CLEAN.rtt_ms, abs=2)
    assert run.overrun_packets == 0


def test_the_round_trip_under_load_is_longer_than_at_rest(runs: Runs) -> None:
    measured = runs["clean"].result().measurement
    for direction in Direction:
        reading = measured.throughput(direction)
        assert reading.values[Metric.LOADED_RTT_MS] > measured.value(Metric.IDLE_RTT_MS)


def test_the_bytes_of_the_readings_are_those_that_crossed(runs: Runs) -> None:
    run = runs["clean"].result()
    received_bytes = sum(reading.bytes_received for reading in run.measurement.readings)
    sent_bytes = sum(reading.bytes_sent for reading in run.measurement.readings)
    down, up = run.after.down, run.after.up
    # A reading cannot see the headers of each packet, 52 bytes of 1500, nor bare acknowledgements.
    assert received_bytes == pytest.approx(down.delivered_bytes - run.before.down.delivered_bytes, rel=0.05)
    assert sent_bytes == pytest.approx(up.delivered_bytes - run.before.up.delivered_bytes, rel=0.05)


def test_a_satellite_link_is_read_as_well(runs: Runs) -> None:
    measured = runs["satellite"].result().measurement
    assert measured.exit_code == 0, measured.messages
    for metric, shape in (
        (Metric.DOWNLOAD_THROUGHPUT_MBPS, SATELLITE.down),
        (Metric.UPLOAD_THROUGHPUT_MBPS, SATELLITE.up),
    ):
        assert 0.85 * shape.tcp_goodput_mbps <= measured.value(metric) <= 1.03 * shape.tcp_goodput_mbps


def test_a_cut_in_the_middle_keeps_what_was_seen_and_says_that_it_was_cut_short(runs: Runs) -> None:
    reading = runs["cut in the middle"].result().measurement.throughput(Direction.DOWNLOAD)
    assert reading.outcome is Outcome.OK
    assert reading.stop_reason is StopReason.CONNECTION_LOST
    # The silence after the cut is no part of the throughput, and no bonus either.
    assert reading.values[Metric.DOWNLOAD_THROUGHPUT_MBPS] == pytest.approx(SLOW.down.tcp_goodput_mbps, rel=0.05)


@pytest.mark.parametrize("when", ["cut at once", "cut before"])
def test_a_cut_before_there_is_anything_to_state_is_a_failure_and_never_zero(runs: Runs, when: str) -> None:
    measured = runs[when].result().measurement
    reading = measured.throughput(Direction.DOWNLOAD)
    assert measured.exit_code in (1, 4)
    assert reading.outcome is Outcome.FAILED
    assert reading.failure is not None
    assert reading.failure.kind in UNANSWERED
    assert Metric.DOWNLOAD_THROUGHPUT_MBPS not in reading.values
