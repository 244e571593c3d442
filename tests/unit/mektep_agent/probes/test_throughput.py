"""The throughput probe: a reading for each direction, and every trouble a failed reading of the right kind."""

import asyncio
from random import Random

import msgspec
import pytest

from mektep_agent.engines.engine import EngineError, Limits
from mektep_agent.probes.audit.conduct import Part, Unlearnt
from mektep_agent.probes.audit.frugal import Frugal
from mektep_agent.probes.manner import AlwaysFullLength
from mektep_agent.probes.probe import UNNUMBERED_EPOCH, Run
from mektep_agent.probes.throughput import LEAST_CAP_BYTES, ThroughputProbe
from mektep_agent.sample import ThroughputSample
from mektep_wire import Direction, FailureKind, Metric, Outcome, Reading, StopReason, Trigger, decode, encode
from tests.support.agent_time import BOOT, SetTime
from tests.support.scripted_engines import ScriptedThroughput, steady
from tests.support.transfers import points_of, sample_of, started

RUN = Run(trigger=Trigger.SLOT, slot="2026-11-23/2", boot_id=BOOT)
GOOD: dict[Direction, ThroughputSample | EngineError] = {
    Direction.DOWNLOAD: steady(Direction.DOWNLOAD, 20.0),
    Direction.UPLOAD: steady(Direction.UPLOAD, 5.0),
}


def run(engine: ScriptedThroughput) -> list[Reading]:
    probe = ThroughputProbe(engine, "ws://h:8081", AlwaysFullLength(), SetTime(), Random(1), limits=Limits())
    readings = list(asyncio.run(probe.run(RUN)))
    assert [decode(Reading, encode(reading)) for reading in readings] == readings
    return readings


def test_a_good_run_gives_one_reading_for_each_direction() -> None:
    download, upload = run(ScriptedThroughput(GOOD))
    assert (download.direction, upload.direction) == (Direction.DOWNLOAD, Direction.UPLOAD)
    assert download.values[Metric.DOWNLOAD_THROUGHPUT_MBPS] == pytest.approx(20.0, rel=1e-3)
    assert upload.values[Metric.UPLOAD_THROUGHPUT_MBPS] == pytest.approx(5.0, rel=1e-3)
    assert download.stop_reason is StopReason.FULL_LENGTH
    assert download.method == "full_length/1"
    assert download.sample_counts[Metric.DOWNLOAD_THROUGHPUT_MBPS] > 50
    assert (download.bytes_received, upload.bytes_sent) == (25_000_000, 6_250_000)


@pytest.mark.parametrize(
    ("max_bytes", "expected"),
    [(None, [None, None]), (40_000_000, [40_000_000, 15_000_000]), (25_100_000, [25_100_000, LEAST_CAP_BYTES])],
)
def test_both_directions_share_what_a_run_may_use(max_bytes: int | None, expected: list[int | None]) -> None:
    engine = ScriptedThroughput(GOOD)
    probe = ThroughputProbe(engine, "ws://h:8081", AlwaysFullLength(), SetTime(), Random(1), limits=Limits())
    asyncio.run(probe.run(msgspec.structs.replace(RUN, max_bytes=max_bytes)))
    assert [limits.max_bytes for limits in engine.asked_limits] == expected


def test_both_readings_bear_the_slot_and_wait_to_be_numbered() -> None:
    readings = run(ScriptedThroughput(GOOD))
    assert [(one.slot, one.epoch, one.seq) for one in readings] == [
        ("2026-11-23/2", UNNUMBERED_EPOCH, 1),
        ("2026-11-23/2", UNNUMBERED_EPOCH, 2),
    ]
    assert readings[0].id != readings[1].id


def test_a_direction_that_fails_leaves_the_other_alone() -> None:
    error = EngineError(FailureKind.STALLED, "nothing came for 7 s", bytes_sent=10, bytes_received=20)
    download, upload = run(ScriptedThroughput(GOOD | {Direction.DOWNLOAD: error}))
    assert download.outcome is Outcome.FAILED
    assert download.failure is not None
    assert download.failure.kind is FailureKind.STALLED
    assert download.values == {}
    assert (download.bytes_sent, download.bytes_received) == (10, 20)
    assert upload.outcome is Outcome.OK


def test_an_engine_that_cannot_run_says_why() -> None:
    readings = run(ScriptedThroughput(GOOD, missing="iperf3 is not installed"))
    assert [one.failure.kind for one in readings if one.failure] == [FailureKind.ENGINE_UNAVAILABLE] * 2


def test_an_impossible_value_is_a_failure_not_a_number() -> None:
    readings = run(ScriptedThroughput(GOOD | {Direction.DOWNLOAD: steady(Direction.DOWNLOAD, 5e5)}))
    assert readings[0].failure is not None
    assert readings[0].failure.kind is FailureKind.PROTOCOL_ERROR


def test_a_bug_is_not_a_failure() -> None:
    with pytest.raises(KeyError):
        run(ScriptedThroughput({}))


@pytest.mark.parametrize(
    ("stop_reason", "kind"),
    [(StopReason.CONNECTION_LOST, FailureKind.STALLED), (StopReason.SERVER_CLOSED, FailureKind.CLOSED_EARLY)],
)
def test_a_test_that_is_cut_off_in_its_start_has_no_speed(stop_reason: StopReason, kind: FailureKind) -> None:
    start = points_of(started(20.0, 0.3), length_s=2.0)
    cut = msgspec.structs.replace(sample_of(start, stop_reason), direction=Direction.DOWNLOAD)
    shortened = Unlearnt(Frugal(), Part.SHORTENED, Limits())
    probe = ThroughputProbe(
        ScriptedThroughput({Direction.DOWNLOAD: cut}), "ws://h:8081", shortened, SetTime(), Random(1), limits=Limits(),
        directions=(Direction.DOWNLOAD,),
    )  # fmt: skip
    (found,) = asyncio.run(probe.run(RUN))
    assert found.failure is not None
    assert found.failure.kind is kind
    assert found.values == {}
    assert found.bytes_received == cut.bytes_received
