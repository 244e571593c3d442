import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mektep_collector.cli import app
from mektep_wire import VERSION
from tests.support.newcomer import Newcomer
from tests.support.running_collector import answer, command
from tests.support.school_table import EXAMPLE, registry_with
from tests.support.set_time import SetTime


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with registry_with(tmp_path, SetTime(), EXAMPLE):
        return tmp_path


def test_codes_are_shown_once_on_stdout_alone(data_dir: Path) -> None:
    shown = command("code", "new", "0007", "--count", "3", data_dir=data_dir)
    assert len(set(shown.stdout.split())) == 3
    assert all(len(code) == 23 for code in shown.stdout.split())
    assert "mektep-agent enrol" in shown.stderr


def test_codes_as_json(data_dir: Path) -> None:
    told = answer("code", "new", "0007", "--hours", "1", data_dir=data_dir)
    assert [code["school_id"] for code in told["codes"]] == ["0007"]


def test_no_code_for_a_school_that_is_not_there(data_dir: Path) -> None:
    assert "no school has the id 'x'" in command("code", "new", "x", data_dir=data_dir, expect=1).stderr


def test_devices_are_listed_and_revoked(data_dir: Path) -> None:
    time = SetTime()
    with registry_with(data_dir, time) as registry:
        code = answer("code", "new", "0007", data_dir=data_dir)["codes"][0]["code"]
        device = registry.enrolment.enrol(Newcomer().request(code), time.now()).device
    assert device.id in command("devices", data_dir=data_dir).stdout
    assert answer("devices", "revoke", device.id, data_dir=data_dir)["device"]["status"] == "revoked"
    assert answer("devices", data_dir=data_dir)["devices"][0]["status"] == "revoked"
    assert "no device has the id" in command("devices", "revoke", "x", data_dir=data_dir, expect=1).stderr


def test_the_log_of_changes_is_listed_and_checked(data_dir: Path) -> None:
    command("code", "new", "0007", data_dir=data_dir)
    last = answer("audit", "list", data_dir=data_dir)["changes"][0]
    assert (last["action"], last["object"]) == ("codes_issued", "school 0007")
    assert last["actor"].startswith("command")
    assert "codes_issued" in command("audit", "list", data_dir=data_dir).stdout
    end = command("audit", "verify", data_dir=data_dir).stdout.strip()
    assert answer("audit", "verify", "--end", end, data_dir=data_dir) == {"count": 2, "end": end, "fault": None}
    other = end[:-1] + ("0" if end[-1] != "0" else "1")
    assert "at change 2" in command("audit", "verify", "--end", other, data_dir=data_dir, expect=1).stderr
    assert "NUMBER:HASH" in command("audit", "verify", "--end", "2", data_dir=data_dir, expect=2).stderr


def test_settings_are_shown_with_their_origin(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("port = 1\n")
    shown = command("config", "show", "--origin", "--config", str(file), data_dir=tmp_path).stdout
    assert f"port = 1  # file {file}" in shown
    assert 'host = "127.0.0.1"  # default' in shown
    assert answer("config", "show", data_dir=tmp_path)["data_dir"] == {"value": str(tmp_path), "origin": "flag"}


def test_a_setting_that_cannot_be_is_a_usage_error(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("prot = 1\n")
    refused = command("schools", "list", "--config", str(file), data_dir=tmp_path, expect=2)
    assert "the nearest known one is `port`" in refused.stderr


def test_the_version_and_the_interface_can_be_asked_for() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"mektep-collector {VERSION}\n"
    document = json.loads(CliRunner().invoke(app, ["openapi"]).stdout)
    assert document["openapi"].startswith("3.1")
