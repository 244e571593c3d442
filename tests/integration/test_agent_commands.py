"""The agent's commands as a person uses them, against a real collector's socket."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.device import load_device
from mektep_wire import VERSION
from tests.support.agent_program import Agent, ended, until_logged
from tests.support.fake_collector import CODE, DEVICE_ID, FakeCollector, Order, fake_collector


@pytest.fixture
def collector() -> Iterator[FakeCollector]:
    with fake_collector() as made:
        yield made


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path / "state", startup_delay_max_s="0")


@pytest.fixture
def enrolled(agent: Agent, collector: FakeCollector) -> Agent:
    assert agent.call("enrol", collector.url, "--code", CODE).returncode == 0
    return agent


def test_an_enrolment_leaves_a_device_and_nothing_for_other_eyes(agent: Agent, collector: FakeCollector) -> None:
    said = agent.said("enrol", collector.url, "--code", CODE)
    assert (said["device_id"], said["school_name"]) == (DEVICE_ID, "Example school 1")
    assert collector.faults == []
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in agent.state.iterdir()} == {
        "identity.json": "0o600", "assignment.json": "0o600", "agent.lock": "0o600", "identity.lock": "0o600",
    }  # fmt: skip


def test_the_address_that_answered_an_enrolment_is_kept(enrolled: Agent) -> None:
    device = load_device(StateFolder(enrolled.state))
    assert device is not None
    assert device.collector_address == "127.0.0.1"


def test_an_enrolment_whose_answer_was_lost_is_asked_again_with_the_same_key(
    agent: Agent, collector: FakeCollector
) -> None:
    collector.drop_grants_count = 1
    lost = agent.call("enrol", collector.url, "--code", CODE)
    assert (lost.returncode, "the code stays good" in lost.stderr) == (4, True)
    assert agent.call("enrol", collector.url, "--code", CODE).returncode == 0
    assert collector.requests == ["POST /v1/enrolments"] * 2


def test_a_wrong_code_is_said_and_leaves_no_device(agent: Agent, collector: FakeCollector) -> None:
    refused = agent.call("enrol", collector.url, "--code", "zzzzzz.0123456789abcdef")
    assert (refused.returncode, "refused" in refused.stderr) == (1, True)
    assert agent.call("status").returncode == 1


def test_a_code_that_cannot_be_one_is_refused_before_anything_is_sent(agent: Agent) -> None:
    refused = agent.call("enrol", "http://127.0.0.1:9", "--code", "abc123")
    assert (refused.returncode, "abc123.0123456789abcdef" in refused.stderr) == (2, True)


def test_a_collector_that_is_not_there_ends_with_4(agent: Agent) -> None:
    assert agent.call("enrol", "http://127.0.0.1:9", "--code", CODE).returncode == 4


def test_plain_http_off_this_computer_is_refused_before_anything_is_sent(agent: Agent) -> None:
    refused = agent.call("enrol", "http://192.0.2.1:8080", "--code", CODE)
    assert (refused.returncode, "--insecure-http" in refused.stderr) == (2, True)
    assert not (agent.state / "enrolment.json").exists()


def test_an_enrolled_computer_asks_before_it_becomes_another_device(enrolled: Agent, collector: FakeCollector) -> None:
    before = (enrolled.state / "identity.json").read_bytes()
    asked = enrolled.call("enrol", collector.url, "--code", CODE)
    assert (asked.returncode, "--replace" in asked.stderr) == (2, True)
    assert enrolled.call("enrol", collector.url, "--code", CODE, "--keep").returncode == 0
    assert (enrolled.state / "identity.json").read_bytes() == before


@pytest.mark.slow
def test_a_replaced_device_is_set_aside_with_its_outbox(enrolled: Agent, collector: FakeCollector) -> None:
    before = (enrolled.state / "identity.json").read_bytes()
    enrolled.call("run", "--once")
    collector.device_key = b""
    assert enrolled.call("enrol", collector.url, "--code", CODE, "--replace").returncode == 0
    (aside,) = enrolled.state.glob("identity-replaced-*.json")
    assert aside.read_bytes() == before
    assert len(list(enrolled.state.glob("outbox-replaced-*.sqlite"))) == 1
    assert not (enrolled.state / "outbox.sqlite").exists()


def test_one_run_prints_what_was_kept_and_delivers_it(enrolled: Agent, collector: FakeCollector) -> None:
    done = enrolled.call("run", "--once", "--json")
    readings = json.loads(done.stdout)["readings"]
    assert done.returncode == 3, "nothing listens where it measures to: measured, but failed"
    assert {(reading["epoch"], reading["seq"]) for reading in readings} == set(collector.stored)
    assert {reading["probe"] for reading in readings} == {"path", "latency", "throughput"}
    assert collector.faults == []
    assert enrolled.said("status")["outbox"]["queued_count"] == 0  # type: ignore[index]


@pytest.mark.slow
def test_one_run_that_is_not_delivered_says_so_and_keeps_its_readings(
    enrolled: Agent, collector: FakeCollector
) -> None:
    collector.orders.extend([Order.UNAUTHORISED])
    done = enrolled.call("run", "--once")
    assert done.returncode == 4
    assert (enrolled.said("status")["outbox"]["queued_count"], collector.stored) == (6, {})  # type: ignore[index]


def test_a_daemon_ends_in_order_and_another_may_not_share_its_folder(enrolled: Agent, collector: FakeCollector) -> None:
    with enrolled.running() as process:
        until_logged(process, "batch_sent")
        second = enrolled.call("run")
        assert (second.returncode, "another mektep-agent" in second.stderr) == (1, True)
        assert enrolled.said("status")["daemon"] == "running"
        assert enrolled.call("enrol", collector.url, "--code", CODE, "--replace").returncode == 1
        ended(process, signal.SIGTERM)
        assert process.returncode == 0
    assert enrolled.said("status")["daemon"] == "stopped"


@pytest.mark.slow
def test_a_new_assignment_is_fetched_when_a_receipt_names_it(enrolled: Agent, collector: FakeCollector) -> None:
    collector.assignment = msgspec.structs.replace(collector.assignment, version=2)
    enrolled.call("run", "--once")
    assert enrolled.said("status")["assignment_version"] == 2


@pytest.mark.slow
def test_a_forged_assignment_is_refused_loudly_and_the_good_one_stays(
    enrolled: Agent, collector: FakeCollector
) -> None:
    collector.assignment = msgspec.structs.replace(collector.assignment, version=2)
    collector.assignment_key = Ed25519PrivateKey.generate()
    done = enrolled.call("run", "--once", "--log-form", "json")
    assert "assignment_refused" in done.stderr
    assert enrolled.said("status")["assignment_version"] == 1


@pytest.mark.slow
def test_a_damaged_assignment_is_put_away_and_fetched_again(enrolled: Agent) -> None:
    (enrolled.state / "assignment.json").write_bytes(b"{ half")
    enrolled.call("run", "--once")
    assert enrolled.said("status")["assignment_version"] == 1
    assert (enrolled.state / "assignment-refused.json").read_bytes() == b"{ half"


def test_settings_show_their_origin(agent: Agent) -> None:
    said = agent.said("config", "show", "--origin")
    assert said["ballast_bytes"] == {"value": 0, "origin": "environment"}
    assert said["log_level"] == {"value": "info", "origin": "default"}
    text = agent.call("config", "show", "--origin", "--state-dir", "/elsewhere").stdout
    assert "state_dir = /elsewhere  # flag\n" in text


def test_an_unknown_setting_ends_with_2_and_the_nearest_name(agent: Agent) -> None:
    agent.environment["MEKTEP_LOGLEVEL"] = "debug"
    refused = agent.call("status")
    assert (refused.returncode, "`log_level`" in refused.stderr) == (2, True)


def test_the_schedule_is_explained(enrolled: Agent) -> None:
    days = enrolled.said("schedule", "--days", "3")["days"]
    assert isinstance(days, list)
    assert [len(day["starts"]) for day in days] == [4, 4, 4]
    assert "equal parts" in enrolled.call("schedule", "--explain").stdout


@pytest.mark.parametrize("command", [["run"], ["status"], ["schedule"]])
def test_before_the_enrolment_each_command_says_what_to_do(agent: Agent, command: list[str]) -> None:
    done = agent.call(*command)
    assert (done.returncode, "enrol" in done.stderr) == (1, True)


def test_the_version_is_printed(agent: Agent) -> None:
    assert agent.call("--version").stdout == f"mektep-agent {VERSION}\n"
