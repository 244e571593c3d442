"""The power goes at any moment: what was acknowledged is in the journal, and the store is whole and can catch up."""

import asyncio
from datetime import timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from mektep_collector.journal.journal import Journal
from mektep_collector.store.embedded import EmbeddedStore
from mektep_wire import FateOutcome
from tests.support.power_cut import Disk, remembered
from tests.support.school_device import NOON, SchoolDevice

BATCHES_COUNT = 30
READINGS_COUNT = 12
LOG_LIMIT_PAGES = 40
"""Small, so that checkpoints come between the batches too."""


def _store(directory: Path) -> EmbeddedStore:
    return EmbeddedStore(directory, lambda _school_id: ZoneInfo("Asia/Almaty"))


def _whole(directory: Path, acknowledged_count: int) -> None:
    """See that all acknowledged batches are in the journal, and that the store takes in what it lacks, once."""
    journal = Journal(directory / "journal")
    store = _store(directory / "store")
    try:
        assert journal.position() >= acknowledged_count
        entries = journal.read(0, BATCHES_COUNT + 1)
        assert [entry.position for entry in entries] == list(range(1, journal.position() + 1))
        assert store.position() <= journal.position()
        store.put(journal.read(store.position(), BATCHES_COUNT + 1))
        assert store.count() == sum(len(entry.accepted) for entry in entries)
    finally:
        store.close()
        journal.close()


async def _accept(device: SchoolDevice, journal: Journal, number: int) -> None:
    first = number * READINGS_COUNT + 1
    body = device.batch(
        [device.reading(seq, NOON - timedelta(minutes=seq)) for seq in range(first, first + READINGS_COUNT)]
    )
    receipt = await journal.accept(device.submission(body))
    assert {fate.outcome for fate in receipt.fates} == {FateOutcome.STORED}


def _cuts(disk: Disk, place: Path, number: int, draw: Random) -> list[Path]:
    """Return what three cuts at this moment would leave: nothing that was not synced, and two with some of it."""
    found = []
    for kind, coin in (("none", None), ("some", draw), ("others", draw)):
        left = place / f"{number} {kind}"
        disk.cut(left, coin)
        found.append(left)
    return found


def test_whatever_was_acknowledged_outlives_a_power_cut(tmp_path: Path) -> None:
    device, draw = SchoolDevice(3), Random(20261123)
    kept: list[tuple[int, Path]] = []
    with remembered(tmp_path / "disk") as disk:
        journal = Journal(tmp_path / "disk" / "journal", LOG_LIMIT_PAGES)
        store = _store(tmp_path / "disk" / "store")
        for number in range(BATCHES_COUNT):
            asyncio.run(_accept(device, journal, number))
            # Before the store takes it in, and after.
            kept += [(number + 1, left) for left in _cuts(disk, tmp_path / "journalled", number, draw)]
            store.put(journal.read(store.position(), 1))
            kept += [(number + 1, left) for left in _cuts(disk, tmp_path / "stored", number, draw)]
        store.close()
        journal.close()
        assert disk.syncs_count > BATCHES_COUNT, "one for each commit, and those of checkpoints"
    for acknowledged_count, left in kept:
        _whole(left, acknowledged_count)
    assert len(kept) == 6 * BATCHES_COUNT
