"""A disk that is full while a day is closed: the day stays where it was, whole, and is closed once there is room."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from mektep_collector.store.embedded import ClosingProcess, EmbeddedStore
from mektep_collector.store.error import StoreError
from mektep_collector.store.store import Period
from tests.support.closing_under_fire import SCHOOLS, entry, open_store
from tests.support.school_device import NOON
from tests.support.small_disk import resize, small_disk

ENTRIES_COUNT = 12
EVERYTHING = Period(NOON - timedelta(days=30), NOON + timedelta(days=30))
LATER = NOON + timedelta(days=9)


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
        with small_disk(directory, 4_096):
            store = open_store(directory, ClosingProcess())
            try:
                store.put([entry(position) for position in range(1, ENTRIES_COUNT + 1)])
                used_kib = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()) // 1024
                resize(directory, used_kib + 16 + room_kib)
                try:
                    for day in store.due_days(LATER):
                        store.close_day(day)
                except StoreError as error:
                    refusals.append(str(error))
                _holds_everything(store)
                resize(directory, 4_096)
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
