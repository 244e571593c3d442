"""A disk that is full while a day is closed: the day stays where it was, whole, and is closed once there is room."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from mektep_collector.store.embedded import ClosingProcess, EmbeddedStore
from mektep_collector.store.error import StoreError
from mektep_collector.store.store import Period
from tests.support.closing_under_fire import SCHOOLS, entry, open_store
from tests.support.school_device import NOON

ENTRIES_COUNT = 12
EVERYTHING = Period(NOON - timedelta(days=30), NOON + timedelta(days=30))
LATER = NOON + timedelta(days=9)


@contextmanager
def _disk(folder: Path, size_kib: int) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _holds_everything(store: EmbeddedStore) -> None:
    wanted = [each for position in range(1, ENTRIES_COUNT + 1) for each in entry(position).accepted]
    for school_id in SCHOOLS:
        found = Counter(each.reading.id for each in store.readings(school_id, EVERYTHING))
        assert found == Counter(each.reading.id for each in wanted if each.school_id == school_id)


@pytest.mark.rights
@pytest.mark.slow
def test_a_disk_that_is_full_at_any_step_harms_nothing(tmp_path: Path) -> None:
    """One small disk after another, each with room for a little more of the work."""
    refusals: list[str] = []
    for room_kib in range(0, 800, 80):
        directory = tmp_path / str(room_kib)
        with _disk(directory, 4_096):
            store = open_store(directory, ClosingProcess())
            try:
                store.put([entry(position) for position in range(1, ENTRIES_COUNT + 1)])
                used_kib = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()) // 1024
                _resize(directory, used_kib + 16 + room_kib)
                try:
                    for day in store.due_days(LATER):
                        store.close_day(day)
                except StoreError as error:
                    refusals.append(str(error))
                _holds_everything(store)
                _resize(directory, 4_096)
                store.tidy()
                for day in store.due_days(LATER):
                    store.close_day(day)
                assert store.closed_days_count() == 3
                _holds_everything(store)
            finally:
                store.close()
            _holds_everything_again(directory)
    assert 2 <= len(refusals) < 10, "some of the disks are too small and some are not"
    assert all(told.endswith("its readings stay where they were") for told in refusals)


def _holds_everything_again(directory: Path) -> None:
    store = open_store(directory, ClosingProcess())
    try:
        _holds_everything(store)
    finally:
        store.close()


def _resize(folder: Path, size_kib: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size_kib}k", str(folder)], check=True)
