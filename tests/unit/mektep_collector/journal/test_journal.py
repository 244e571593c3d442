import asyncio
from collections.abc import Sequence
from pathlib import Path

import apsw
import msgspec
import pytest

from mektep_collector.journal.error import JournalError
from mektep_collector.journal.journal import Gap, Journal
from mektep_wire import FateOutcome, Receipt
from tests.support.school_device import NOON, SchoolDevice

DEADLINE_S = 10.0


def _bodies(device: SchoolDevice, seqs: Sequence[Sequence[int]]) -> list[bytes]:
    return [device.batch([device.reading(seq) for seq in each]) for each in seqs]


async def _accept(journal: Journal, device: SchoolDevice, bodies: Sequence[bytes]) -> list[Receipt]:
    return await asyncio.gather(*(journal.accept(device.submission(body)) for body in bodies))


def test_many_at_once_are_each_answered_for_themselves_and_read_back_in_order(tmp_path: Path) -> None:
    devices = [SchoolDevice(seed, school_id=str(seed)) for seed in range(20)]
    journal = Journal(tmp_path)

    async def run() -> list[list[Receipt]]:
        return await asyncio.gather(
            *(_accept(journal, device, _bodies(device, [[1, 2], [3], [2, 4]])) for device in devices)
        )

    receipts = asyncio.run(run())
    for per_device in receipts:
        outcomes = [fate.outcome for receipt in per_device for fate in receipt.fates]
        assert outcomes.count(FateOutcome.STORED) == 4
        assert len(outcomes) == 5
    entries = journal.read(0, 1_000)
    assert [entry.position for entry in entries] == list(range(1, 61))
    assert journal.position() == 60
    assert sum(len(entry.accepted) for entry in entries) == 80
    assert {each.school_id for entry in entries for each in entry.accepted} == set(map(str, range(20)))
    assert [entry.position for entry in journal.read(10, 3)] == [11, 12, 13]
    assert journal.read(60, 3) == []
    counts = journal.counts()
    assert (counts.stored_count, counts.batch_count, counts.failed_commit_count) == (80, 60, 0)
    assert counts.commit_count < 60
    journal.close()


def test_batches_of_several_devices_gather_after_a_commit(tmp_path: Path) -> None:
    devices = [SchoolDevice(seed, school_id=str(seed)) for seed in range(3)]
    journal = Journal(tmp_path, gathering_s=1.0)

    async def run() -> None:
        first, *others = [device.submission(_bodies(device, [[1]])[0]) for device in devices]
        await journal.accept(first)
        async with asyncio.TaskGroup() as group:
            for other in others:
                group.create_task(journal.accept(other))
                await asyncio.sleep(0.02)  # as long as several commits take

    asyncio.run(run())
    assert (journal.counts().batch_count, journal.counts().commit_count) == (3, 2)
    journal.close()


def test_a_device_that_is_alone_waits_for_nobody(tmp_path: Path) -> None:
    device = SchoolDevice()
    journal = Journal(tmp_path, gathering_s=DEADLINE_S)

    async def run() -> None:
        async with asyncio.timeout(DEADLINE_S):
            for body in _bodies(device, [[1], [2], [3]]):
                await journal.accept(device.submission(body))

    asyncio.run(run())
    assert journal.counts().commit_count == 3
    journal.close()


def test_a_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    device = SchoolDevice()
    body, later = _bodies(device, [[1, 2, 3], [4]])
    for expected in (FateOutcome.STORED, FateOutcome.DUPLICATE):
        journal = Journal(tmp_path)
        (receipt,) = asyncio.run(_accept(journal, device, [body]))
        assert {fate.outcome for fate in receipt.fates} == {expected}
        assert journal.position() == 1
        journal.close()
    journal = Journal(tmp_path)
    asyncio.run(_accept(journal, device, [later]))
    assert [entry.position for entry in journal.read(0, 9)] == [1, 2]
    journal.close()


def test_the_journal_knows_what_it_has_not_got(tmp_path: Path) -> None:
    device, other = SchoolDevice(1), SchoolDevice(2)
    journal = Journal(tmp_path)
    asyncio.run(_accept(journal, device, _bodies(device, [[3, 4], [9], [6]])))
    asyncio.run(_accept(journal, other, _bodies(other, [[1, 2]])))
    assert journal.gaps(device.record.id) == [
        Gap(epoch=device.epoch, first_seq=first, last_seq=last) for first, last in ((1, 2), (5, 5), (7, 8))
    ]
    assert journal.gaps(other.record.id) == []
    journal.close()


def test_waiting_ends_with_the_next_entry_or_with_patience(tmp_path: Path) -> None:
    device = SchoolDevice()
    journal = Journal(tmp_path)

    async def run() -> None:
        assert not await journal.wait_beyond(0, 0.01)
        waiting = asyncio.create_task(journal.wait_beyond(0, DEADLINE_S))
        await asyncio.sleep(0)
        await _accept(journal, device, _bodies(device, [[1]]))
        assert await waiting
        assert await journal.wait_beyond(0, 0.01)

    asyncio.run(run())
    journal.close()


def test_a_second_collector_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(JournalError, match="another process uses the journal"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_a_closed_journal_accepts_nothing(tmp_path: Path) -> None:
    device = SchoolDevice()
    journal = Journal(tmp_path)
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        asyncio.run(_accept(journal, device, _bodies(device, [[1]])))


def test_a_file_of_something_else_a_newer_one_and_a_broken_one_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with apsw.Connection(str(path)) as foreign:
        foreign.execute("CREATE TABLE mine (x)")
    foreign.close()
    with pytest.raises(JournalError, match="something else"):
        Journal(tmp_path)
    path.unlink()
    Journal(tmp_path).close()
    newer = apsw.Connection(str(path))
    newer.pragma("user_version", 2)
    newer.close()
    with pytest.raises(JournalError, match="newer collector"):
        Journal(tmp_path)
    path.write_bytes(b"not a database at all, " * 500)
    with pytest.raises(JournalError, match=r"journal\.sqlite"):
        Journal(tmp_path)
    assert path.read_bytes().startswith(b"not a database")


def test_a_batch_that_the_code_chokes_on_fails_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    device = SchoolDevice()
    journal = Journal(tmp_path)
    good = [device.submission(body) for body in _bodies(device, [[1], [2]])]
    (body,) = _bodies(device, [[3]])
    # A place that no batch can have: packing the judgement fails as a bug would.
    choking = msgspec.structs.replace(device.submission(body), indexes=[-5])

    async def run() -> list[Receipt | BaseException]:
        return await asyncio.gather(
            *(journal.accept(each) for each in (good[0], choking, good[1])), return_exceptions=True
        )

    first, bad, second = asyncio.run(run())
    assert isinstance(first, Receipt)
    assert isinstance(second, Receipt)
    assert isinstance(bad, JournalError)
    assert "batch_not_admitted" in caplog.text
    assert journal.position() == 2
    assert journal.counts().failed_commit_count >= 1
    assert {each.at for entry in journal.read(0, 9) for each in entry.accepted} == {NOON}
    journal.close()
