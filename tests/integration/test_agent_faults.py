"""The whole agent under faults: killed at any step, a full disk, a damaged outbox. Nothing lost, nothing twice."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.device import load_device, store_device
from mektep_agent.outbox.parcel import OutboxFullError
from mektep_agent.outbox.queue import Outbox
from mektep_wire import Outcome
from tests.support.agent_program import Agent, ended, until_logged
from tests.support.agent_time import a_reading
from tests.support.fake_collector import CODE, FakeCollector, Order, fake_collector
from tests.support.requirement import require

KILLS_COUNT = int(os.environ.get("AGENT_KILLS_COUNT", "8"))
LONGEST_LIFE_S = 4.0
CHANCE = random.Random(41)


@pytest.fixture
def collector() -> Iterator[FakeCollector]:
    with fake_collector() as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path, collector: FakeCollector) -> Agent:
    made = Agent(tmp_path / "state", startup_delay_max_s="0")
    assert made.call("enrol", collector.url, "--code", CODE).returncode == 0
    return made


@pytest.mark.slow
def test_an_agent_killed_at_any_step_delivers_each_reading_once(agent: Agent, collector: FakeCollector) -> None:
    for number in range(KILLS_COUNT):
        if number % 3 == 0:
            collector.orders.append(Order.STORE_AND_DROP)
        with agent.running("--once") as process:
            try:
                process.wait(CHANCE.uniform(0.3, LONGEST_LIFE_S))
            except subprocess.TimeoutExpired:
                process.kill()
    collector.orders.clear()
    assert agent.call("run", "--once").returncode == 3
    census = agent.said("status")["outbox"]
    assert isinstance(census, dict)
    assert (census["queued_count"], census["dead_count"], census["dropped_count"]) == (0, 0, 0)
    assert set(collector.stored) == {(census["epoch"], seq) for seq in range(1, census["last_seq"] + 1)}
    assert len({reading.id for reading in collector.stored.values()}) == len(collector.stored)
    assert collector.faults == []


@pytest.mark.slow
def test_a_killed_daemon_leaves_the_folder_to_the_next(agent: Agent) -> None:
    with agent.running() as process:
        until_logged(process, "measurement_finished")
        ended(process, signal.SIGKILL)
    with agent.running("--once") as process:
        until_logged(process, "batch_sent")


@pytest.mark.slow
def test_a_damaged_outbox_is_said_loudly_and_the_agent_goes_on(agent: Agent, collector: FakeCollector) -> None:
    collector.orders.append(Order.UNAUTHORISED)
    agent.call("run", "--once")
    outbox = agent.state / "outbox.sqlite"
    damaged = outbox.read_bytes()[:10_000]
    outbox.write_bytes(damaged)
    with agent.running("--once") as process:
        said = until_logged(process, "outbox_set_aside")
        assert said["level"] == "error"
        assert Path(str(said["file"])).read_bytes() == damaged
        until_logged(process, "batch_sent")
    assert {seq for _, seq in collector.stored} == set(range(1, 7))


def test_an_agent_without_a_network_measures_keeps_and_ends_in_order(agent: Agent, tmp_path: Path) -> None:
    identity = agent.state / "identity.json"
    identity.write_text(identity.read_text().replace("http://127.0.0.1:", "http://127.0.0.2:"))
    with agent.running() as process:
        until_logged(process, "batch_not_sent")
        begun_s = time.monotonic()
        ended(process, signal.SIGTERM)
        assert process.returncode == 0
        assert time.monotonic() - begun_s < 5.0
    assert agent.said("status")["outbox"]["queued_count"] == 2  # type: ignore[index]


def test_slots_of_days_that_the_computer_was_off_for_are_reported_once_the_time_is_known(
    agent: Agent, collector: FakeCollector
) -> None:
    device = load_device(StateFolder(agent.state))
    assert device is not None
    long_ago = msgspec.structs.replace(device, enrolled_at=device.enrolled_at - timedelta(days=3))
    store_device(StateFolder(agent.state), long_ago)

    def skipped() -> list[str]:
        return [reading.slot or "" for reading in collector.stored.values() if reading.outcome is Outcome.SKIPPED]

    with agent.running() as process:
        assert collector.wait_until(lambda: len(skipped()) >= 20, 30.0)
        ended(process, signal.SIGTERM)
    assert set(Counter(skipped()).values()) == {2}, "one reading for each direction, once"
    assert collector.faults == []


@pytest.mark.slow
def test_an_agent_an_hour_behind_says_so_in_its_readings(agent: Agent, collector: FakeCollector) -> None:
    collector.clock_ahead_s = 3_600.0
    assert agent.call("run", "--once").returncode == 3
    assert agent.call("run", "--once").returncode == 3
    offsets_s = [reading.clock.offset_s for _, reading in sorted(collector.stored.items())]
    assert offsets_s[:6] == [None] * 6
    assert all(offset_s is not None and abs(offset_s - 3_600.0) < 5.0 for offset_s in offsets_s[6:])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    require(os.geteuid() == 0, "a disk of its own needs root")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=True, capture_output=True)
    yield place
    subprocess.run(["umount", str(place)], check=True, capture_output=True)


def _fill(place: Path) -> None:
    """Leave not one page free."""
    with (place / "of-somebody-else").open("wb", buffering=0) as other, suppress(OSError):
        while other.write(bytes(4_096)):
            pass
    assert shutil.disk_usage(place).free == 0


@contextmanager
def _opened(place: Path) -> Iterator[Outbox]:
    outbox = Outbox(StateFolder(place), SystemTime(), random.Random(3), max_bytes=67_108_864, ballast_bytes=262_144)
    try:
        yield outbox
    finally:
        outbox.close()


@pytest.mark.rights
def test_on_a_full_disk_the_ballast_lets_readings_in_and_settled_ones_out(small_disk: Path) -> None:
    with _opened(small_disk) as outbox:
        outbox.put([a_reading(CHANCE) for _ in range(200)])
        _fill(small_disk)
        kept = outbox.put([a_reading(CHANCE) for _ in range(50)], ["2026-11-23/1"])
        assert [reading.seq for reading in kept] == list(range(201, 251))
        assert not (small_disk / "outbox.ballast").exists()
        outbox.settle(outbox.epoch, list(range(1, 201)), [])
        assert [one.seq for one in outbox.parcel(500, 10**6).queued] == list(range(201, 251))
        assert (outbox.census().dropped_count, outbox.set_aside) == (0, ())


@pytest.mark.rights
def test_on_a_disk_that_stays_full_old_routine_goes_and_is_counted_and_the_file_stays_whole(small_disk: Path) -> None:
    put_count = 0
    with _opened(small_disk) as outbox:
        _fill(small_disk)
        with suppress(OutboxFullError):
            for _ in range(200):
                put_count += len(outbox.put([a_reading(CHANCE) for _ in range(20)]))
        census = outbox.census()
    assert put_count > 100
    assert census.dropped_count > 0
    assert census.queued_count + census.dropped_count == put_count == census.last_seq
    (small_disk / "of-somebody-else").unlink()
    with _opened(small_disk) as again:
        assert (again.set_aside, again.census().queued_count) == ((), census.queued_count)
        again.put([a_reading(CHANCE)])
