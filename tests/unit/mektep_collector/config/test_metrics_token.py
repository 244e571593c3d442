from pathlib import Path

import pytest

from mektep_collector.config import ConfigError
from mektep_collector.config.metrics_token import read_metrics_token


def test_no_file_is_no_token() -> None:
    assert read_metrics_token("") == ""


def test_the_token_is_what_the_file_holds(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("f" * 64 + "\n")
    assert read_metrics_token(str(file)) == "f" * 64


@pytest.mark.parametrize("held", ["", "short", "f" * 31, "f" * 40 + " " + "f" * 40, "ф" * 40])
def test_a_token_that_is_no_protection_is_refused(tmp_path: Path, held: str) -> None:
    file = tmp_path / "token"
    file.write_text(held, "utf-8")
    with pytest.raises(ConfigError, match="openssl rand"):
        read_metrics_token(str(file))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_metrics_token(str(tmp_path / "none"))
