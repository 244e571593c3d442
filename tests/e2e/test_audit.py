"""A real agent on a line that gives a burst first: its audit shows the miss, the page says so, the agent falls back.

The measuring server is written apart from the project's own; collector, agent and pages are the real programs.
"""

import re
from pathlib import Path

import msgspec
import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.last_assignment import load_assignment
from mektep_collector.registry.registry import open_registry
from mektep_collector.sla.audit import AuditTerms, expected_audits
from mektep_wire import Direction, Metric, Reading, StopReason, Trigger, is_audit
from tests.support.agent_program import Agent
from tests.support.hostile_ndt7 import Peer, scripted_server
from tests.support.running_collector import answer, await_that, command, running_collector
from tests.support.school_table import table

BURST_MBPS, RATE_MBPS, BURST_S = 60.0, 20.0, 1.5
SLOTS = [f"2026-11-{day:02}/{number}" for day in range(1, 31) for number in range(1, 5)]


def bursting(peer: Peer) -> None:
    """Send fast for the first part, as a token bucket lets it; turn uploads down."""
    if peer.read_request().path.endswith("/upload"):
        peer.answer("503 Service Unavailable")
        return
    peer.accept()
    peer.pace(BURST_MBPS)
    peer.fill(BURST_S, 1 << 15)
    peer.pace(RATE_MBPS)
    peer.fill(12.0, 1 << 15)


def downloaded(agent: Agent) -> Reading:
    """Measure once and return the download's reading."""
    done = agent.call("run", "--once", "--json")
    assert done.returncode in {0, 3}, done.stderr
    found = re.search(r"\{\"readings\".*", done.stdout)
    assert found is not None, done.stderr
    (reading,) = [one for one in _readings(found.group()) if one.direction is Direction.DOWNLOAD]
    return reading


def _readings(printed: str) -> list[Reading]:
    said: dict[str, list[Reading]] = msgspec.json.decode(printed, type=dict[str, list[Reading]])
    return said["readings"]


@pytest.mark.slow
def test_an_audit_shows_the_shortcuts_miss_on_the_page_and_the_agent_tests_longer(tmp_path: Path) -> None:
    schools = tmp_path / "schools.csv"
    schools.write_bytes(table({"school_id": "0007"}))
    command("schools", "import", str(schools), "--yes", data_dir=tmp_path)
    agent = Agent(tmp_path / "state", startup_delay_max_s="0")
    with scripted_server(bursting) as target:
        config = tmp_path / "collector.toml"
        config.write_text(f'ndt7_url = "{target}"\nplatforms = []\naudit_ratio = 0.25\n', "utf-8")
        with running_collector(tmp_path, "--no-measure", "--config", str(config)) as collector:
            (code,) = answer("code", "new", "0007", data_dir=tmp_path)["codes"]
            assert agent.call("enrol", collector.url, "--code", code["code"]).returncode == 0

            first = downloaded(agent)
            assert (first.trigger, first.stop_reason, first.method) == (
                Trigger.STARTUP, StopReason.FULL_LENGTH, "frugal/1",
            )  # fmt: skip
            assert first.values[Metric.DOWNLOAD_THROUGHPUT_MBPS] == pytest.approx(BURST_MBPS, rel=0.15)
            assert first.values[Metric.DOWNLOAD_FULL_LENGTH_MBPS] == pytest.approx(RATE_MBPS, rel=0.15)

            def page() -> str:
                return collector.get("/schools/0007?lang=en").text

            await_that(lambda: "of 100 audits" in page(), "the audit is shown")
            shown = re.search(r"data-shortcut=\"download\"><b>\+(\d+\.\d)%</b>", page())
            assert shown is not None
            assert float(shown.group(1)) == pytest.approx(200.0, abs=60.0)

            status = agent.call("status").stdout
            assert "download: full length, as short tests missed too much; 1 audit" in status
            second = downloaded(agent)
            assert (second.method, second.stop_reason) == ("full_length/2", StopReason.FULL_LENGTH)
            assert second.values[Metric.DOWNLOAD_THROUGHPUT_MBPS] == pytest.approx(RATE_MBPS, rel=0.15)
            await_that(
                lambda: "tests of full length" in collector.get("/schools/0007?lang=en").text, "the page says so"
            )
    _draws_alike(tmp_path, agent)


def _draws_alike(data_dir: Path, agent: Agent) -> None:
    """See that collector and device draw the same slots from what each holds for itself."""
    held = load_assignment(StateFolder(agent.state))
    assert held is not None
    assert held.audit_seed is not None
    registry = open_registry(data_dir)
    try:
        given = registry.assignments.given(held.device_id)
        seed = registry.audit_seeds.of(held.device_id)
    finally:
        registry.close()
    assert given == held
    terms = AuditTerms(seed=seed, ratio=held.audit_ratio, since=held.issued_at)
    drawn = {slot for slot in SLOTS if is_audit(held.audit_seed, held.device_id, slot, held.audit_ratio)}
    assert drawn == expected_audits(terms, held.device_id, SLOTS)
    assert 10 < len(drawn) < 60
