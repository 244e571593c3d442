from pathlib import Path

import pytest

from mektep_collector.journal.connection import Durability, UnsoundSqliteError, open_writer, require_sound_sqlite


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.0", "3.52.0"])
def test_an_sqlite_that_can_lose_commits_is_refused_by_name(version: str) -> None:
    with pytest.raises(UnsoundSqliteError, match=version):
        require_sound_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.53.0", "3.54.1", "4.0.0"])
def test_a_sound_sqlite_is_taken(version: str) -> None:
    require_sound_sqlite(version)


def test_the_sqlite_in_use_is_sound_and_the_journal_is_on_disk_with_every_commit(tmp_path: Path) -> None:
    require_sound_sqlite()
    full, wal = 2, "wal"
    connection = open_writer(tmp_path / "file", Durability.EVERY_COMMIT)
    assert (connection.pragma("journal_mode"), connection.pragma("synchronous")) == (wal, full)
    connection.close()
