"""The state folder: files replaced whole, for their owner's eyes, and never deleted when they are put away."""

from pathlib import Path

import pytest

from mektep_agent.config.state_folder import StateFolder
from tests.support.agent_time import MONDAY_NOON


def test_a_written_file_is_its_owners_alone_and_whole(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path / "state")
    folder.write(folder.identity, b"one")
    folder.write(folder.identity, b"two")
    assert folder.identity.read_bytes() == b"two"
    assert folder.identity.stat().st_mode & 0o777 == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in folder.path.iterdir()] == ["identity.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.write(folder.identity, b"old")
    (tmp_path / "identity.json.new").mkdir()
    with pytest.raises(OSError, match="directory"):
        folder.write(folder.identity, b"new")
    assert folder.identity.read_bytes() == b"old"


def test_what_is_set_aside_keeps_its_content_and_never_meets_its_like(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    for content in (b"1", b"2", b"3"):
        folder.write(folder.assignment, content)
        folder.set_aside(folder.assignment, "corrupt", MONDAY_NOON)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {
        "assignment-corrupt-20261123T070000Z.json": b"1",
        "assignment-corrupt-20261123T070000Z-2.json": b"2",
        "assignment-corrupt-20261123T070000Z-3.json": b"3",
    }
