from pathlib import Path

import pytest

from mektep_collector.config import ConfigError
from mektep_collector.config.secret_file import read_metrics_token, read_secret


def test_no_file_is_no_secret() -> None:
    assert read_secret("influxdb_token_file", "") == ""
    assert read_metrics_token("") == ""


def test_the_secret_is_what_the_file_holds(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("f" * 64 + "\n")
    assert read_secret("influxdb_token_file", str(file)) == "f" * 64
    assert read_metrics_token(str(file)) == "f" * 64


@pytest.mark.parametrize("held", ["", "\n", "f" * 40 + " " + "f" * 40, "f" * 40 + "\n" + "f" * 40, "ф" * 40])
def test_what_cannot_stand_in_a_header_is_refused_by_the_settings_name(tmp_path: Path, held: str) -> None:
    file = tmp_path / "token"
    file.write_text(held, "utf-8")
    with pytest.raises(ConfigError, match=r"influxdb_token_file.*printable ASCII"):
        read_secret("influxdb_token_file", str(file))


@pytest.mark.parametrize("held", ["short", "f" * 31])
def test_a_token_that_can_be_guessed_is_refused(tmp_path: Path, held: str) -> None:
    file = tmp_path / "token"
    file.write_text(held, "utf-8")
    with pytest.raises(ConfigError, match="openssl rand"):
        read_metrics_token(str(file))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_metrics_token(str(tmp_path / "none"))
