"""The agent's couriers against a real collector: the line goes from device to device, bytes are counted."""

import asyncio
import json
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from mektep_agent.budget.account import read_ledger
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.uplink.courier_carrier import courier_lease_carriers
from mektep_agent.uplink.leases import Leases, leases_over
from mektep_wire import LeaseEnd
from tests.support.agent_program import Agent
from tests.support.fake_collector import CODE, fake_collector
from tests.support.running_collector import RunningCollector, answer, command, running_collector
from tests.support.school_table import table

pytestmark = pytest.mark.alone


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningCollector, None, None]:
    place = tmp_path_factory.mktemp("collector")
    schools = place / "schools.csv"
    schools.write_bytes(table({"school_id": "0007"}, {"school_id": "0008"}))
    command("schools", "import", str(schools), "--yes", data_dir=place)
    with running_collector(place, "--no-measure") as running:
        yield running


def _enrolled(collector: RunningCollector, state: Path, school: str) -> Leases:
    (code,) = answer("code", "new", school, data_dir=collector.data_dir)["codes"]
    done = Agent(state).call("enrol", collector.url, "--code", code["code"])
    assert done.returncode == 0, done.stderr
    return leases_over(courier_lease_carriers(state, 2.0, 5.0))


def test_two_devices_of_a_school_take_turns_and_the_neighbour_does_not_wait(
    collector: RunningCollector, tmp_path: Path
) -> None:
    first, second = (_enrolled(collector, tmp_path / name, "0007") for name in ("first", "second"))
    neighbour = _enrolled(collector, tmp_path / "neighbour", "0008")

    async def take_turns() -> None:
        async with asyncio.timeout(60):
            async with first() as own:
                assert own.taken_for_s is None
                async with second() as other:
                    assert other.taken_for_s is not None
                    assert 60.0 < other.taken_for_s <= 120.0
                async with neighbour() as far:
                    assert far.taken_for_s is None
                own.end = LeaseEnd.MEASURED
            async with second() as other:
                assert other.taken_for_s is None
                assert other.measured_before_s is not None

    asyncio.run(take_turns())


def test_a_collector_that_is_down_delays_no_test_for_long(collector: RunningCollector, tmp_path: Path) -> None:
    _enrolled(collector, tmp_path, "0007")
    identity = StateFolder(tmp_path).identity
    identity.write_text(identity.read_text("utf-8").replace(collector.url, "http://127.0.0.1:9"), "utf-8")

    async def ask() -> None:
        async with leases_over(courier_lease_carriers(tmp_path, 2.0, 5.0))() as turn:
            assert turn.taken_for_s is None

    begun_s = time.monotonic()
    asyncio.run(ask())
    assert time.monotonic() - begun_s < 20.0


def test_a_run_is_counted_and_told_by_status(tmp_path: Path) -> None:
    with fake_collector() as collector:
        agent = Agent(tmp_path / "state", startup_delay_max_s="0", month_cap_bytes="500000000")
        assert agent.call("enrol", collector.url, "--code", CODE).returncode == 0
        done = agent.call("run", "--once", "--json")
        readings = json.loads(done.stdout)["readings"]
        data = agent.said("status")["data"]
        assert isinstance(data, dict)
        probed_bytes = sum(one.get("bytes_sent", 0) + one.get("bytes_received", 0) for one in readings)
        assert probed_bytes + 8_000 < data["used_bytes"] < probed_bytes * 2 + 60_000
        assert data["cap_bytes"] == 500_000_000
        assert data["forecast_bytes"] <= data["wanted_bytes"]
        ledger = read_ledger(StateFolder(tmp_path / "state"))
        assert (ledger.held_bytes, ledger.current.tests_count) == (0, 1)
        assert "of 500.0 MB" in agent.call("status").stdout
