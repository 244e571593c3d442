"""Backup, restore and doctor as their commands, on a data directory that is being written to."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest

from mektep_collector.backup.contents import BackupError
from mektep_collector.backup.make import RegistryKept, make_backup
from mektep_collector.backup.restore import restore_backup
from mektep_collector.cli.collector_id import collector_id
from mektep_collector.registry.registry import open_registry
from mektep_collector.store.embedded import ClosingProcess, EmbeddedFiles
from mektep_collector.store.store import Period
from tests.support.closing_under_fire import SCHOOLS, entry, open_store
from tests.support.running_collector import answer, command
from tests.support.school_device import NOON

EVERYTHING = Period(NOON - timedelta(days=30), NOON + timedelta(days=30))


def _quiet(_part: str, _done: int, _whole: int) -> None:
    pass


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a registry, and a store whose days are closed but for late readings."""
    directory = tmp_path / "data"
    open_registry(directory).close()
    collector_id(directory)
    store = open_store(directory / "store", ClosingProcess())
    store.put([entry(position) for position in range(1, 7)])
    for day in store.due_days(NOON + timedelta(days=9)):
        store.close_day(day)
    store.put([entry(7)])
    store.close()
    _write_journal(directory, 7)
    return directory


def _write_journal(directory: Path, entries_count: int) -> None:
    """Write as much of a journal as tells how far it goes."""
    (directory / "journal").mkdir(exist_ok=True)
    connection = apsw.Connection(str(directory / "journal" / "journal.sqlite"))
    connection.execute("CREATE TABLE entry (position INTEGER PRIMARY KEY)")
    connection.executemany("INSERT INTO entry VALUES (?)", [(each,) for each in range(1, entries_count + 1)])
    connection.close()


def _holds(store_directory: Path) -> int:
    """Return a store's position once it was seen to hold each reading up to there, and each once."""
    store = open_store(store_directory, ClosingProcess())
    try:
        wanted = [each for position in range(1, store.position() + 1) for each in entry(position).accepted]
        for school_id in SCHOOLS:
            found = Counter(each.reading.id for each in store.readings(school_id, EVERYTHING))
            assert found == Counter(each.reading.id for each in wanted if each.school_id == school_id)
        return store.position()
    finally:
        store.close()


def test_what_was_backed_up_comes_back_whole(data: Path, tmp_path: Path) -> None:
    told = answer("backup", str(tmp_path / "copy"), data_dir=data)
    assert told["files_count"] == 9, "three days, their manifest, recent readings, journal, registry, key, name"
    command("restore", str(tmp_path / "copy"), data_dir=tmp_path / "again")
    assert _holds(tmp_path / "again" / "store") == 7
    assert collector_id(tmp_path / "again") == collector_id(data), "its devices would have no home else"
    assert (tmp_path / "again" / "keys" / "collector.ed25519.pem").stat().st_mode & 0o077 == 0
    assert command("doctor", data_dir=tmp_path / "again").exit_code == 0


@pytest.mark.slow
def test_a_backup_of_a_store_that_closes_days_meanwhile_is_one_state_of_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    open_registry(data).close()
    program = [sys.executable, "-m", "tests.support.closing_under_fire", str(data / "store")]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as feeding:
        assert feeding.stdout is not None
        feeding.stdout.readline()
        for number in range(8):
            make_backup(data, tmp_path / str(number), EmbeddedFiles(data), RegistryKept.HERE, datetime.now(UTC), _quiet)
            feeding.stdout.readline()
        feeding.kill()
    positions = []
    for number in range(8):
        restore_backup(tmp_path / str(number), tmp_path / f"again {number}", _quiet)
        positions.append(_holds(tmp_path / f"again {number}" / "store"))
    assert positions == sorted(positions)
    assert positions[0] < positions[-1]


def test_a_backup_with_a_harmed_file_is_refused_by_its_name(data: Path, tmp_path: Path) -> None:
    answer("backup", str(tmp_path / "copy"), data_dir=data)
    harmed = next((tmp_path / "copy" / "store" / "days").glob("*.parquet"))
    octets = harmed.read_bytes()
    harmed.unlink()  # it is a link to the store's own file
    harmed.write_bytes(octets[:-1] + b"!")
    refused = command("restore", str(tmp_path / "copy"), data_dir=tmp_path / "again", expect=1)
    assert harmed.name in refused.stderr
    assert not (tmp_path / "again").exists()


def test_neither_backup_nor_restore_writes_over_anything(data: Path, tmp_path: Path) -> None:
    answer("backup", str(tmp_path / "copy"), data_dir=data)
    assert "exists" in command("backup", str(tmp_path / "copy"), data_dir=data, expect=1).stderr
    assert "not empty" in command("restore", str(tmp_path / "copy"), data_dir=data, expect=1).stderr
    with pytest.raises(BackupError, match="no collector's data"):
        make_backup(
            tmp_path / "copy 2", tmp_path / "x", EmbeddedFiles(tmp_path / "copy 2"), RegistryKept.HERE, NOON, _quiet
        )


def test_the_doctor_names_each_harmed_file_and_what_to_do(data: Path) -> None:
    sound, harmed, gone = sorted((data / "store" / "days").glob("*.parquet"))
    octets = harmed.read_bytes()
    harmed.write_bytes(octets[:100] + b"!" + octets[101:])
    gone.unlink()
    (data / "keys" / "collector.ed25519.pem").unlink()
    said = command("doctor", data_dir=data, expect=1).stdout
    faults = [line for line in said.splitlines() if line.startswith("FAULT")]
    assert [name in "".join(faults) for name in (sound.name, harmed.name, gone.name, "collector.ed25519.pem")] == [
        False,
        True,
        True,
        True,
    ]
    assert said.count("to do: ") == len(faults) == 3


def test_the_doctor_knows_a_store_of_another_journal_and_a_journal_with_a_hole(data: Path) -> None:
    path = str(data / "journal" / "journal.sqlite")
    connection = apsw.Connection(path)
    connection.execute("DELETE FROM entry WHERE position > 3")
    assert "the store has taken in entry 7" in command("doctor", data_dir=data, expect=1).stdout
    connection.execute("DELETE FROM entry WHERE position = 2")
    connection.close()
    assert "of the entries 1 to 3 only 2 are there" in command("doctor", data_dir=data, expect=1).stdout


def test_the_doctor_warns_of_what_no_manifest_names(data: Path) -> None:
    (data / "store" / "days" / "2026-11-01.000000000001.parquet.unfinished").write_bytes(b"")
    assert "no manifest names it" in command("doctor", data_dir=data, expect=3).stdout
