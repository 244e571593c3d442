"""`mektep-collector code new --sheet`: codes go to a file of the owner alone, and to nowhere else."""

import os
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mektep_collector.cli.joining import joining_command, joining_link
from tests.support.newcomer import Newcomer
from tests.support.running_collector import answer, command
from tests.support.school_table import EXAMPLE, registry_with
from tests.support.set_time import SetTime

PUBLIC = ("--public-url", "https://meter.example.kz/")
CODE = "abc123.0123456789abcdef"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    with registry_with(tmp_path, SetTime(), EXAMPLE):
        return tmp_path


def _issued_count(data_dir: Path) -> int:
    changes = answer("audit", "list", data_dir=data_dir)["changes"]
    return sum(change["action"] == "codes_issued" for change in changes)


def test_the_codes_of_a_sheet_let_computers_in(data_dir: Path) -> None:
    file = data_dir / "codes.html"
    told = command("code", "new", "0007", "--count", "3", "-o", str(file), *PUBLIC, data_dir=data_dir)
    commands = re.findall(r'class="command">([^<]+)<', file.read_text("utf-8"))
    codes = [re.fullmatch(r"mektep-agent enrol https://meter\.example\.kz --code (\S+)", one) for one in commands]
    assert len({one.group(1) for one in codes if one}) == 3
    time = SetTime()
    with registry_with(data_dir, time) as registry:
        for one in codes:
            assert one is not None
            assert registry.enrolment.enrol(Newcomer().request(one.group(1)), time.now()).device.school_id == "0007"
            assert one.group(1) not in told.stdout + told.stderr, "what is on paper is not on the terminal"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_file_is_the_owners_alone_whatever_is_usual(data_dir: Path) -> None:
    file, usual = data_dir / "codes.html", os.umask(0)
    try:
        command("code", "new", "0007", "-o", str(file), *PUBLIC, data_dir=data_dir)
    finally:
        os.umask(usual)
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_file_is_written_over_and_no_code_is_made_for_nothing(data_dir: Path) -> None:
    file = data_dir / "codes.html"
    file.write_text("mine")
    refused = command("code", "new", "0007", "-o", str(file), *PUBLIC, data_dir=data_dir, expect=2)
    assert "is there already" in refused.stderr
    assert file.read_text() == "mine"
    away = command("code", "new", "0007", "-o", str(data_dir / "no" / "x"), *PUBLIC, data_dir=data_dir, expect=1)
    assert "no code was made" in away.stderr
    fresh = data_dir / "fresh.html"
    unknown = command("code", "new", "x", "-o", str(fresh), *PUBLIC, data_dir=data_dir, expect=1)
    assert "no school has the id 'x'" in unknown.stderr
    unsaid = command("code", "new", "0007", "-o", str(fresh), data_dir=data_dir, expect=2)
    assert "--public-url" in unsaid.stderr
    assert not fresh.exists()
    assert _issued_count(data_dir) == 0


def test_a_sheet_as_json_names_the_file_and_no_code(data_dir: Path) -> None:
    file = data_dir / "codes.html"
    told = answer("code", "new", "0007", "--count", "2", "--lang", "ru", "-o", str(file), *PUBLIC, data_dir=data_dir)
    assert told == {"sheet": str(file), "count": 2}
    assert '<html lang="ru">' in file.read_text("utf-8")


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://meter.example.kz", ""),
        ("http://127.0.0.1:8080", ""),
        ("http://localhost:8080", ""),
        ("http://10.0.0.5:8080", " --insecure-http"),
        ("COLLECTOR", ""),
    ],
)
def test_a_command_allows_plain_http_where_the_agent_would_refuse_it(address: str, allowed: str) -> None:
    assert joining_command(address, CODE) == f"mektep-agent enrol {address} --code {CODE}{allowed}"


def test_the_link_gives_address_and_code_back_as_they_are() -> None:
    address = "https://meter.example.kz:8443/a&b?c=d"
    parts = urlsplit(unescape(joining_link(address, CODE)))
    assert (parts.scheme, parts.path) == ("mektep", "enrol")
    assert parse_qs(parts.query) == {"url": [address], "code": [CODE]}


def test_the_link_is_as_its_documentation_says() -> None:
    page = (Path(__file__).parents[4] / "docs" / "codes.md").read_text("utf-8")
    assert f"\n{joining_link('https://meter.example.kz', 'k3v9qa.0123456789abcdef')}\n" in page
