"""Settings: flag before environment before file before default, and refusals that name the nearest known setting."""

from pathlib import Path

import pytest

from mektep_agent.config import Config, ConfigError, LogLevel, Origin, load


def test_each_value_comes_from_the_strongest_place_that_gives_it(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('state_dir = "/from/file"\nlog_level = "debug"\nrequest_timeout_s = 5\nballast_bytes = 7\n')
    environment = {"MEKTEP_STATE_DIR": "/from/environment", "MEKTEP_BALLAST_BYTES": "8", "HOME": "/root"}
    loaded = load({"state_dir": "/from/flag", "log_form": None}, environment, file)
    assert loaded.config == Config(
        state_dir="/from/flag", log_level=LogLevel.DEBUG, request_timeout_s=5.0, ballast_bytes=8
    )
    assert {name: origin for name, origin in loaded.origins.items() if origin is not Origin.DEFAULT} == {
        "state_dir": Origin.FLAG,
        "log_level": Origin.FILE,
        "request_timeout_s": Origin.FILE,
        "ballast_bytes": Origin.ENVIRONMENT,
    }


def test_without_anything_given_the_defaults_stand() -> None:
    assert load({}, {}, None).config == Config()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'state_dri = "x"', ("state_dri", "state_dir")),
        (b"quite_else = 1", ("quite_else", "state_dir, log_level")),
        (b'log_level = "loud"', ("log_level", "loud")),
        (b"outbox_max_bytes = 1", ("outbox_max_bytes", "1048576")),
        (b"outbox_max_bytes = true", ("outbox_max_bytes",)),
        (b'request_timeout_s = "soon"', ("request_timeout_s", "soon")),
        (b"request_timeout_s = nan", ("request_timeout_s",)),
        (b"[state_dir]\nx = 1", ("state_dir",)),
        (b"state_dir = ", ("not TOML",)),
        (b'state_dir = "\xff"', ("not UTF-8",)),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_a_hint(tmp_path: Path, content: bytes, words: tuple[str]) -> None:
    file = tmp_path / "agent.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refusal:
        load({}, {}, file)
    assert all(word in str(refusal.value) for word in (*words, str(file)))


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"MEKTEP_STATEDIR": "x"}, ("MEKTEP_STATEDIR", "state_dir")),
        ({"MEKTEP_BALLAST_BYTES": "much"}, ("ballast_bytes", "much")),
    ],
)
def test_an_environment_that_cannot_be_meant_is_refused_with_a_hint(
    environment: dict[str, str], words: tuple[str]
) -> None:
    with pytest.raises(ConfigError) as refusal:
        load({}, environment, None)
    assert all(word in str(refusal.value) for word in (*words, "environment"))


def test_the_collectors_own_variables_are_left_alone() -> None:
    assert load({}, {"MEKTEP_COLLECTOR_PORT": "8080", "MEKTEP_CONFIG": "/x"}, None).config == Config()


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load({}, {}, tmp_path / "none.toml")
