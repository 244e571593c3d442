"""A disk that takes no more: the batch is not called stored, nothing before it is harmed, and it goes on with space."""

import asyncio
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from mektep_collector.journal.error import JournalError
from mektep_collector.journal.journal import Journal
from mektep_wire import FateOutcome
from tests.support.school_device import SchoolDevice

ROOM_BYTES = 200_000


@contextmanager
def _no_file_beyond(limit_bytes: int) -> Iterator[None]:
    """Let the system refuse to make any file of this process longer, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_what_it_cannot_keep_and_nothing_else(tmp_path: Path) -> None:
    device = SchoolDevice()
    bodies = [
        device.batch([device.reading(seq) for seq in range(first, first + 100)]) for first in range(1, 5_000, 100)
    ]
    journal = Journal(tmp_path)
    stored_count = 0

    async def accept(some: Sequence[bytes]) -> None:
        nonlocal stored_count
        for body in some:
            receipt = await journal.accept(device.submission(body))
            assert {fate.outcome for fate in receipt.fates} == {FateOutcome.STORED}
            stored_count += 1

    with _no_file_beyond(ROOM_BYTES), pytest.raises(JournalError, match="cannot write to the journal"):
        asyncio.run(accept(bodies))
    assert 0 < stored_count < len(bodies)
    assert journal.position() == stored_count
    with _no_file_beyond(ROOM_BYTES), pytest.raises(JournalError):
        asyncio.run(accept(bodies[stored_count:]))
    assert len(journal.read(0, 1_000)) == stored_count

    asyncio.run(accept(bodies[stored_count:]))
    assert [entry.position for entry in journal.read(0, 1_000)] == list(range(1, len(bodies) + 1))
    assert journal.gaps(device.record.id) == []
    journal.close()
    again = Journal(tmp_path)
    assert again.position() == len(bodies)
    again.close()
