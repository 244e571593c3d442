"""Shortened tests and their audits: who is drawn, what the readings say, and how a link falls back and returns."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.engines.engine import Limits, StopRule
from mektep_agent.probes.audit.conduct import FIRST_AUDITS_COUNT, AuditedTests, AuditTerms, Part, Unlearnt
from mektep_agent.probes.audit.memory import FolderMemory, ForgetfulMemory, Link, LinkMemory, read_links
from mektep_agent.probes.probe import Run
from mektep_agent.probes.throughput import ThroughputProbe
from mektep_agent.sample import Point, ThroughputSample
from mektep_agent.statistics.replay import replay
from mektep_agent.statistics.trust import RETURN_COUNT, Reliance
from mektep_wire import Direction, Metric, Reading, StopReason, Trigger, decode, encode, is_audit
from tests.support.agent_time import BOOT, SetTime
from tests.support.first_seconds import FirstSeconds
from tests.support.school_assignment import DEVICE_ID, school
from tests.support.scripted_engines import ScriptedThroughput, steady

SEED = bytes(range(16))
TERMS = AuditTerms(device_id=DEVICE_ID, seed=SEED, ratio=0.05, error_max_ratio=0.05)
SLOTS = [f"{date(2026, 9, 1) + timedelta(days=day)}/{number}" for day in range(100) for number in range(1, 5)]
DRAWN = [slot for slot in SLOTS if is_audit(SEED, DEVICE_ID, slot, 0.05)]
ORDINARY = [slot for slot in SLOTS if slot not in DRAWN]
TARGET = "ws://h:8081"
THROUGHPUT, FULL_LENGTH, NDT7 = (
    Metric.DOWNLOAD_THROUGHPUT_MBPS,
    Metric.DOWNLOAD_FULL_LENGTH_MBPS,
    Metric.DOWNLOAD_NDT7_MBPS,
)


def bursting(times: float, rate_mbps: float = 8.0, burst_s: float = 1.5) -> ThroughputSample:
    """Return a full-length transfer that runs `times` as fast for its first part, as token buckets let it."""
    steps = [round(rate_mbps * 12_500 * (times if step < burst_s * 10 else 1.0)) for step in range(100)]
    points = tuple(Point((step + 1) / 10, sum(steps[: step + 1])) for step in range(100))
    return msgspec.structs.replace(
        steady(Direction.DOWNLOAD, rate_mbps), points=points, bytes_received=points[-1].total_bytes
    )


class Stoppable(ScriptedThroughput):
    """Ends a scripted transfer where the stop rule says, as a real engine does."""

    async def measure(self, target: str, direction: Direction, limits: Limits, stop: StopRule) -> ThroughputSample:
        return replay(await super().measure(target, direction, limits, stop), stop.decide)


class Device:
    """A device that tests download on a scripted line."""

    def __init__(
        self,
        line: ThroughputSample,
        memory: LinkMemory | None = None,
        method: str = "first_seconds/1",
        terms: AuditTerms = TERMS,
    ) -> None:
        self.line = line
        self.network = "network"
        self.memory = memory or ForgetfulMemory()
        self.tests = AuditedTests(
            FirstSeconds(method=method), TARGET, terms, self.memory, lambda: self.network, SetTime(), Limits()
        )

    def test(self, slot: str | None, trigger: Trigger = Trigger.SLOT) -> Reading:
        engine = Stoppable({Direction.DOWNLOAD: self.line})
        probe = ThroughputProbe(
            engine, TARGET, self.tests, SetTime(), Random(1), limits=Limits(), directions=(Direction.DOWNLOAD,)
        )
        (reading,) = asyncio.run(probe.run(Run(trigger=trigger, slot=slot, boot_id=BOOT)))
        assert decode(Reading, encode(reading)) == reading
        return reading

    def reliance(self) -> Reliance:
        record = self.memory.recall(Link(TARGET, Direction.DOWNLOAD, self.network))
        return Reliance.SHORTENED if record is None else record.trust.reliance


def test_an_ordinary_run_is_short_and_states_one_figure_with_its_interval() -> None:
    reading = Device(steady(Direction.DOWNLOAD, 8.0)).test(ORDINARY[0])
    assert (reading.trigger, reading.stop_reason) == (Trigger.SLOT, StopReason.CONVERGED)
    assert reading.method == "first_seconds/1"
    assert FULL_LENGTH not in reading.values
    assert reading.bytes_received == 1_000_000
    assert reading.intervals[THROUGHPUT].low < 8.0 < reading.intervals[THROUGHPUT].high


def test_an_audit_states_what_the_short_test_would_have_said_and_the_whole_one_of_the_same_transfer() -> None:
    device = Device(bursting(1.2))
    reading = device.test(DRAWN[0])
    assert (reading.trigger, reading.slot, reading.stop_reason) == (Trigger.AUDIT, DRAWN[0], StopReason.FULL_LENGTH)
    assert reading.method == "first_seconds/1"
    assert reading.values[THROUGHPUT] == pytest.approx(9.6)
    assert reading.values[FULL_LENGTH] == pytest.approx(8.0)
    assert reading.values[NDT7] == pytest.approx(8.24)
    assert reading.bytes_received == 10_300_000
    assert Device(bursting(1.2)).test(ORDINARY[0]).values[THROUGHPUT] == reading.values[THROUGHPUT]


def test_just_the_drawn_slots_are_audits_whatever_happened_before() -> None:
    device = Device(steady(Direction.DOWNLOAD, 8.0))
    assert [slot for slot in SLOTS if device.test(slot).trigger is Trigger.AUDIT] == DRAWN
    falling = Device(bursting(3.0))
    assert [slot for slot in SLOTS if falling.test(slot).trigger is Trigger.AUDIT] == DRAWN


@pytest.mark.parametrize("terms", [
    msgspec.structs.replace(TERMS, seed=None), msgspec.structs.replace(TERMS, ratio=0.0),
])  # fmt: skip
def test_without_a_seed_or_a_share_nothing_is_drawn(terms: AuditTerms) -> None:
    device = Device(steady(Direction.DOWNLOAD, 8.0), terms=terms)
    assert {device.test(slot).trigger for slot in DRAWN} == {Trigger.SLOT}


def test_what_a_person_starts_is_never_drawn() -> None:
    device = Device(steady(Direction.DOWNLOAD, 8.0))
    assert {device.test(slot, Trigger.MANUAL).trigger for slot in DRAWN} == {Trigger.MANUAL}


def test_the_first_start_up_tests_are_audits_so_that_a_link_is_known_soon() -> None:
    device = Device(steady(Direction.DOWNLOAD, 8.0))
    readings = [device.test(None, Trigger.STARTUP) for _ in range(FIRST_AUDITS_COUNT + 2)]
    assert [FULL_LENGTH in reading.values for reading in readings] == [True] * FIRST_AUDITS_COUNT + [False] * 2
    assert {reading.trigger for reading in readings} == {Trigger.STARTUP}
    device.network = "another"
    assert FULL_LENGTH in device.test(None, Trigger.STARTUP).values


def test_a_link_whose_audits_miss_is_tested_at_full_length_and_says_so_until_they_agree() -> None:
    device = Device(bursting(3.0))
    assert device.test(DRAWN[0]).values[THROUGHPUT] == pytest.approx(24.0)
    fallen = [device.test(slot) for slot in ORDINARY[:5]]
    assert {(one.method, one.trigger, one.stop_reason) for one in fallen} == {
        ("full_length/1", Trigger.SLOT, StopReason.FULL_LENGTH)
    }
    assert {round(one.values[THROUGHPUT], 6) for one in fallen} == {8.0}
    assert all(FULL_LENGTH not in one.values for one in fallen)
    drawn = device.test(DRAWN[1])
    assert (drawn.trigger, drawn.method, FULL_LENGTH in drawn.values) == (Trigger.AUDIT, "full_length/1", False)
    device.line = steady(Direction.DOWNLOAD, 8.0)
    agreeing = [device.test(slot) for slot in ORDINARY[10 : 10 + RETURN_COUNT]]
    assert {one.method for one in agreeing} == {"full_length/1"}
    assert device.reliance() is Reliance.SHORTENED
    assert device.test(ORDINARY[30]).method == "first_seconds/1"


def test_one_network_is_not_judged_by_another() -> None:
    device = Device(bursting(3.0))
    device.test(DRAWN[0])
    assert device.test(ORDINARY[0]).method == "full_length/1"
    device.network = "another"
    assert device.test(ORDINARY[1]).method == "first_seconds/1"


def test_another_version_of_the_method_begins_anew() -> None:
    memory = ForgetfulMemory()
    Device(bursting(3.0), memory).test(DRAWN[0])
    assert Device(bursting(3.0), memory).test(ORDINARY[0]).method == "full_length/1"
    assert Device(bursting(3.0), memory, "first_seconds/2").test(ORDINARY[0]).method == "first_seconds/2"


@pytest.mark.parametrize(("reason", "duration_s", "is_yardstick"), [
    (StopReason.FULL_LENGTH, 10.0, True), (StopReason.SERVER_CLOSED, 9.0, True), (StopReason.SERVER_CLOSED, 3.0, False),
    (StopReason.BYTE_CAP, 5.0, False), (StopReason.CONNECTION_LOST, 9.0, False),
])  # fmt: skip
def test_only_a_whole_transfer_is_a_yardstick(reason: StopReason, duration_s: float, is_yardstick: bool) -> None:
    line = msgspec.structs.replace(steady(Direction.DOWNLOAD, 8.0, duration_s), stop_reason=reason)
    device = Device(line)
    reading = device.test(DRAWN[0])
    assert reading.trigger is Trigger.AUDIT
    assert (FULL_LENGTH in reading.values) is is_yardstick
    assert (device.memory.recall(Link(TARGET, Direction.DOWNLOAD, "network")) is not None) is is_yardstick


def test_what_was_learnt_outlives_the_process(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    for _ in range(2):
        Device(bursting(3.0), FolderMemory(folder, SetTime())).test(DRAWN[0])
    (record,) = read_links(folder)
    assert record.link == Link(TARGET, Direction.DOWNLOAD, "network")
    assert (record.trust.audits_count, record.trust.reliance) == (2, Reliance.FULL_LENGTH)
    assert msgspec.json.decode(record.learnt) == {"times_count": 2}
    assert Device(bursting(3.0), FolderMemory(folder, SetTime())).test(ORDINARY[0]).method == "full_length/1"


def test_terms_are_what_the_assignment_says() -> None:
    assert AuditTerms.of(school(audit_seed=SEED, audit_ratio=0.1, shortcut_error_max_ratio=0.08)) == AuditTerms(
        device_id=DEVICE_ID, seed=SEED, ratio=0.1, error_max_ratio=0.08
    )


def test_a_transfer_of_no_rate_is_an_error_and_never_learnt_from() -> None:
    device = Device(msgspec.structs.replace(steady(Direction.DOWNLOAD, 8.0), points=(Point(1.0, 0), Point(10.0, 0))))
    with pytest.raises(ValueError, match="never 0 Mbit/s"):
        device.test(DRAWN[0])


def test_points_of_a_rule_are_those_that_an_engine_would_show() -> None:
    seen: list[Sequence[Point]] = []
    sample = steady(Direction.DOWNLOAD, 8.0)
    replay(sample, lambda points: seen.append(points))
    assert [len(points) for points in seen] == list(range(1, len(sample.points)))


@pytest.mark.parametrize(("part", "figures"), [(Part.SHORTENED, {THROUGHPUT}), (Part.AUDIT, {THROUGHPUT, FULL_LENGTH})])
def test_a_measurement_by_hand_shows_both_figures_where_it_is_asked_to(part: Part, figures: set[Metric]) -> None:
    probe = ThroughputProbe(
        Stoppable({Direction.DOWNLOAD: bursting(3.0)}), TARGET, Unlearnt(FirstSeconds(), part, Limits()), SetTime(),
        Random(1), limits=Limits(), directions=(Direction.DOWNLOAD,),
    )  # fmt: skip
    for _ in range(2):
        (reading,) = asyncio.run(probe.run(Run(trigger=Trigger.MANUAL, boot_id=BOOT)))
        assert reading.values.keys() & {THROUGHPUT, FULL_LENGTH} == figures
        assert (reading.trigger, reading.method) == (Trigger.MANUAL, "first_seconds/1")
