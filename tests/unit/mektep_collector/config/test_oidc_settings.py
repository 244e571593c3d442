"""Settings of an OpenID provider go together, and its address is protected."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mektep_collector.config import Config, PagesFor

WHOLE: dict[str, Any] = {
    "pages_for": PagesFor.PEOPLE,
    "oidc_issuer": "https://id.example.kz/realms/edu",
    "oidc_client_id": "mektep",
    "oidc_client_secret_file": "/etc/mektep/oidc",
    "oidc_name": "Bilim ID",
}


@pytest.mark.parametrize(
    "issuer", [WHOLE["oidc_issuer"], "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost"]
)
def test_settings_that_go_together_are_taken(issuer: str) -> None:
    assert Config(**{**WHOLE, "oidc_issuer": issuer}).oidc_issuer == issuer


@pytest.mark.parametrize("absent", [name for name in WHOLE if name != "pages_for"])
def test_one_that_is_not_given_is_named(absent: str) -> None:
    with pytest.raises(ValueError, match=f"`{absent}` is not given"):
        Config(**{**WHOLE, absent: ""})


def test_pages_for_everyone_have_nobody_to_log_in() -> None:
    with pytest.raises(ValueError, match='set `pages_for = "people"`'):
        Config(**{**WHOLE, "pages_for": PagesFor.EVERYONE})


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example.kz", "id.example.kz", "https://", "https://x:y", "ftp://id.example.kz", "http://127.0.0.1.evil.kz",
        "https://id.example.kz?x=1", "https://id.example.kz#x", "https://user@id.example.kz",
    ],
)  # fmt: skip
def test_an_issuer_that_cannot_be_is_refused(issuer: str) -> None:
    with pytest.raises(ValueError, match="`oidc_issuer` is"):
        Config(**{**WHOLE, "oidc_issuer": issuer})


def test_where_the_library_is_not_there_the_command_that_installs_it_is_said(tmp_path: Path) -> None:
    script = (
        "import sys\nsys.modules['authlib'] = None\nsys.argv = ['mektep-collector', *sys.argv[1:]]\n"
        "from mektep_collector.cli import main\nmain()\n"
    )
    secret = tmp_path / "secret"
    secret.write_text("provider-gave-this-out")
    settings = tmp_path / "collector.toml"
    lines = {**WHOLE, "oidc_client_secret_file": str(secret), "measure_server": "none", "port": 0}
    settings.write_text(
        "".join(f"{name} = {str(value)!r}\n" if name != "port" else "port = 0\n" for name, value in lines.items())
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "serve", "--data-dir", str(tmp_path / "data"), "--config", str(settings)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, "pip install 'mektep-meter[collector,oidc]'" in done.stderr) == (2, True), done.stderr
