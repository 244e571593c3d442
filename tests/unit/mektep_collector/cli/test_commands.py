import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mektep_collector.cli import app
from mektep_wire import VERSION, TokenRequest
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


def test_tokens_are_asked_for_anew_and_ended(data_dir: Path) -> None:
    time = SetTime(datetime.now(UTC).replace(microsecond=0))
    with registry_with(data_dir, time) as registry:
        code = answer("code", "new", "0007", data_dir=data_dir)["codes"][0]["code"]
        enrolled = registry.enrolment.enrol(Newcomer().request(code), time.now())
        device_id = enrolled.device.id
        assert "token of never" in command("devices", data_dir=data_dir).stdout
        registry.senders.authenticate(enrolled.token)
        registry.senders.write_seen()
        assert f"token of {time.now():%Y-%m-%d %H:%M}" in command("devices", data_dir=data_dir).stdout
        assert answer("devices", "renew-token", device_id, data_dir=data_dir) == {"asked_count": 1}
        assert answer("devices", "renew-token", "--all", data_dir=data_dir) == {"asked_count": 1}
        shown = answer("devices", data_dir=data_dir)["devices"][0]
        assert datetime.fromisoformat(shown["token_made_at"]) == time.now()
        assert datetime.fromisoformat(shown["renewal_asked_at"]) >= time.now()
        refused = command("devices", "renew-token", device_id, "--end-others", data_dir=data_dir, expect=1)
        assert "has left no token behind" in refused.stderr
        request = TokenRequest(device_id=device_id, asked_at=time.now(), nonce=bytes(16))
        registry.senders.authenticate(registry.tokens.renew(enrolled.token, request).token)
        registry.senders.write_seen()
    assert answer("devices", "renew-token", device_id, "--end-others", data_dir=data_dir) == {"ended_count": 1}
    for wrong in ([], [device_id, "--all"], ["--all", "--end-others"]):
        command("devices", "renew-token", *wrong, data_dir=data_dir, expect=2)
    assert "no device has the id" in command("devices", "renew-token", "x", data_dir=data_dir, expect=1).stderr


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


PASSWORD = "river lamp seven onion\n"


def _as_person(*arguments: str, data_dir: Path, typed: str = PASSWORD, expect: int = 0) -> Result:
    done = CliRunner().invoke(app, ["people", *arguments, "--data-dir", str(data_dir)], input=typed)
    assert done.exit_code == expect, done.stderr
    return done


def test_people_are_added_changed_and_disabled(data_dir: Path) -> None:
    added = json.loads(
        _as_person("add", "Aigerim", "--role", "operator", "--region", "kz-61", "--json", data_dir=data_dir).stdout
    )
    assert added["person"]["login"] == "aigerim"
    assert (added["person"]["role"], added["person"]["regions"]) == ("operator", ["KZ-61"])
    assert "analyst now, the whole country" in _as_person("role", "aigerim", "analyst", data_dir=data_dir).stderr
    assert (
        "has a new password"
        in _as_person("password", "aigerim", data_dir=data_dir, typed="cloud bridge eleven fox\n").stderr
    )
    assert "otpauth://totp/" in _as_person("totp", "aigerim", data_dir=data_dir).stdout
    assert "with a second factor" in _as_person("list", data_dir=data_dir).stdout
    assert "needs no code" in _as_person("totp", "aigerim", "--off", data_dir=data_dir).stderr
    assert "let in no more" in _as_person("disable", "aigerim", data_dir=data_dir).stderr
    assert "may log in again" in _as_person("enable", "aigerim", data_dir=data_dir).stderr
    (listed,) = answer("people", "list", data_dir=data_dir)["people"]
    assert (listed["status"], listed["role"], listed["has_second_factor"]) == ("active", "analyst", False)
    assert answer("audit", "list", data_dir=data_dir)["changes"][0]["actor"].startswith("command by")


def test_people_that_cannot_be_are_refused_with_what_to_do(data_dir: Path) -> None:
    assert "12 at least" in _as_person("add", "aigerim", data_dir=data_dir, typed="short\n", expect=1).stderr
    assert "no password came" in _as_person("add", "aigerim", data_dir=data_dir, typed="", expect=2).stderr
    assert "by ISO 3166-2" in _as_person("add", "aigerim", "--region", "X", data_dir=data_dir, expect=1).stderr
    assert "people list" in _as_person("password", "nobody", data_dir=data_dir, expect=1).stderr
    assert answer("people", "list", data_dir=data_dir) == {"people": []}


def test_people_without_a_password_are_added_and_made(data_dir: Path) -> None:
    _as_person("add", "nurlan@edu.example", "--oidc", data_dir=data_dir, typed="")
    assert "by the identity provider alone" in _as_person("list", data_dir=data_dir).stdout
    assert "is none" in _as_person("add", "nurlan", "--oidc", data_dir=data_dir, typed="", expect=2).stderr
    assert "has no password" in _as_person("totp", "nurlan@edu.example", data_dir=data_dir, expect=1).stderr
    _as_person("password", "nurlan@edu.example", data_dir=data_dir)
    assert answer("people", "list", data_dir=data_dir)["people"][0]["has_password"] is True
    assert "no password any more" in _as_person("password", "nurlan@edu.example", "--off", data_dir=data_dir).stderr
    assert answer("people", "list", data_dir=data_dir)["people"][0]["has_password"] is False
