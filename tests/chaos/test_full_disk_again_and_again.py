"""A small disk runs full again and again, at another byte each time: nothing acknowledged is lost, nothing is twice."""

import asyncio
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.outbox.parcel import OutboxError
from mektep_agent.outbox.queue import Outbox
from mektep_collector.journal.error import JournalError
from mektep_collector.journal.journal import Journal
from mektep_collector.store.embedded import EmbeddedStore
from mektep_collector.store.error import StoreError
from mektep_wire import FateOutcome, Reading, decode
from tests.support.agent_time import SetTime, a_reading
from tests.support.school_device import SchoolDevice
from tests.support.small_disk import fill, small_disk

EVENTS_COUNT = int(os.environ.get("MEKTEP_CHAOS_FULL_DISKS", "25"))
DISK_KIB = 24_576 + 400 * EVENTS_COUNT
BATCH_COUNT = 60
MOST_ROOM_BYTES = 400_000


def _accept(journal: Journal, device: SchoolDevice, readings: list[Reading]) -> bool:
    """Tell whether the journal took a batch."""
    body = device.batch(readings)
    try:
        receipt = asyncio.run(journal.accept(device.submission(body)))
    except JournalError:
        return False
    assert {fate.outcome for fate in receipt.fates} <= {FateOutcome.STORED, FateOutcome.DUPLICATE}
    return True


@pytest.mark.rights
@pytest.mark.slow
def test_a_collectors_disk_that_runs_full_loses_nothing(tmp_path: Path) -> None:
    draw, device, disk = Random(5), SchoolDevice(), tmp_path / "disk"
    acknowledged: list[str] = []
    waiting: list[Reading] = []
    refused_count = seq = 0
    with small_disk(disk, DISK_KIB):
        journal = Journal(disk / "journal", log_limit_pages=50)
        store = EmbeddedStore(disk / "store", lambda _school_id: ZoneInfo("Asia/Almaty"))
        for event in range(EVENTS_COUNT):
            filler = fill(disk, draw.randrange(MOST_ROOM_BYTES))
            before = refused_count
            while refused_count == before:
                if not waiting:
                    waiting = [device.reading(seq + each) for each in range(1, BATCH_COUNT + 1)]
                    seq += BATCH_COUNT
                if _accept(journal, device, waiting):
                    acknowledged += [each.id for each in waiting]
                    waiting = []
                else:
                    refused_count += 1
                with suppress(StoreError):
                    store.put(journal.read(store.position(), 2))
            filler.unlink()
            if event % 10 == 9:
                store.close()
                journal.close()
                journal = Journal(disk / "journal", log_limit_pages=50)
                store = EmbeddedStore(disk / "store", lambda _school_id: ZoneInfo("Asia/Almaty"))
            if event % 25 == 24:
                _is_all_there(journal, store, acknowledged, device)
        _is_all_there(journal, store, acknowledged, device)
        store.close()
        journal.close()
    print({"full disks": refused_count, "readings": len(acknowledged), "lost": 0, "twice": 0})


def _is_all_there(journal: Journal, store: EmbeddedStore, acknowledged: list[str], device: SchoolDevice) -> None:
    held = Counter(each.reading.id for entry in journal.read(0, journal.position()) for each in entry.accepted)
    assert set(held.values()) == {1}
    assert set(held) >= set(acknowledged)
    assert journal.gaps(device.record.id) == []
    while store.position() < journal.position():
        store.put(journal.read(store.position(), 32))
    assert store.count() == len(held)


@pytest.mark.rights
@pytest.mark.slow
def test_a_schools_disk_that_runs_full_loses_nothing_but_what_it_counts(tmp_path: Path) -> None:
    draw, time, disk = Random(6), SetTime(), tmp_path / "disk"
    taken: dict[int, str] = {}
    sent: dict[int, str] = {}
    refused_count = 0
    with small_disk(disk, 2_048):
        folder = StateFolder(disk / "agent")
        outbox = Outbox(folder, time, draw, max_bytes=1_048_576, ballast_bytes=131_072)
        for event in range(EVENTS_COUNT):
            filler = fill(disk, draw.randrange(60_000))
            for _ in range(draw.randrange(1, 12)):
                try:
                    taken |= {each.seq: each.id for each in outbox.put([a_reading(draw) for _ in range(20)])}
                except OutboxError:
                    refused_count += 1
                    break
            parcel = outbox.parcel(draw.randrange(1, 200), 10**6)
            with suppress(OutboxError):
                outbox.settle(parcel.epoch, [one.seq for one in parcel.queued], [])
                sent |= {one.seq: decode(Reading, one.payload).id for one in parcel.queued}
            filler.unlink()
            if event % 10 == 9:
                outbox.close()
                outbox = Outbox(folder, time, draw, max_bytes=1_048_576, ballast_bytes=131_072)
            waiting = {one.seq: decode(Reading, one.payload).id for one in outbox.parcel(10**6, 10**9).queued}
            assert not waiting.keys() & sent.keys(), "what was settled is there again"
            gone = taken.keys() - waiting.keys() - sent.keys()
            # What is dropped to make room for a receipt has arrived all the same: more are counted than are gone.
            assert len(gone) <= outbox.census().dropped_count
            assert all(taken[seq] == id_ for seq, id_ in (sent | waiting).items())
        assert outbox.set_aside == ()
        outbox.close()
    print({"full disks": EVENTS_COUNT, "refused": refused_count, "readings": len(taken), "lost": 0, "twice": 0})
