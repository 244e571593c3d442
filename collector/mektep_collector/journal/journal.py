"""The journal: accepted means on disk, once and for all; readers follow at their own pace with their own cursor.

One file in a directory of its own, one process at a time (a lock file next to it is held as long as the journal is
open). Readers keep the position up to which they have read in their own storage, in one step with what they made of it.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import cast

import apsw
import msgspec

from mektep_collector.journal.admission import Admitted
from mektep_collector.journal.checkpoint import LOG_LIMIT_PAGES
from mektep_collector.journal.correction import to_us
from mektep_collector.journal.entries import SignedBatch, read_entries, read_signed
from mektep_collector.journal.entry import Entry
from mektep_collector.journal.error import JournalError
from mektep_collector.journal.pruning import find_spent
from mektep_collector.journal.readers import Readers, ReadersBusyError
from mektep_collector.journal.sequence import SeqRange, missing
from mektep_collector.journal.submission import Submission
from mektep_collector.journal.writer import GATHERING_S, Writer, WriterCounts
from mektep_wire import Receipt

_ACCEPT_DEADLINE_S = 30.0
_PRUNED_AT_ONCE = 64
_RANGES = """
SELECT epoch, first_seq, last_seq FROM stream JOIN received_range USING (stream)
WHERE device_id = ? ORDER BY epoch, first_seq
"""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Sequence numbers of one epoch that never came, though later ones did; `first` and `last` are included."""

    epoch: str
    first_seq: int
    last_seq: int


class Journal:
    """Opens, or makes, the journal in `directory`; raises JournalError. Who opens it closes it.

    `log_limit_pages` is how far the write-ahead log grows before it is moved into the file, `gathering_s` for how long
    batches of several devices gather after a commit.

    `accept` and `wait_beyond` belong to event loops, everything else may be called from any thread and blocks for the
    time of one read.
    """

    def __init__(
        self, directory: Path, log_limit_pages: int = LOG_LIMIT_PAGES, gathering_s: float = GATHERING_S
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / "journal.sqlite"
        self._lock = _lock(directory / "journal.lock")
        self._readers = Readers(self._path)
        self._position = 0
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._guard = threading.Lock()
        try:
            self._writer = Writer(self._path, self._readers, self._committed, log_limit_pages, gathering_s)
        except JournalError:
            self._lock.close()
            raise
        self._position = max(self._position, self._writer.first_position)

    async def accept(self, submission: Submission) -> Receipt:
        """Write what is new of a submission and return the fate of each reading; all of it is on disk by then.

        Raises JournalError: nothing is known to be kept, and sending the same again is safe.
        """
        answer = self._writer.submit(submission)
        # asyncio.timeout takes 15 us where this takes 7, for every batch.
        late = asyncio.get_running_loop().call_later(_ACCEPT_DEADLINE_S, self._give_up, answer)
        try:
            admitted = await answer
        finally:
            late.cancel()
        return Receipt(batch_id=submission.batch_id, received_at=submission.received_at, fates=admitted.fates)

    def position(self) -> int:
        """Return the last entry's position, 0 for an empty journal."""
        return self._position

    def counts(self) -> WriterCounts:
        """Return what was accepted since the journal was opened."""
        return self._writer.counts()

    def read(self, after_position: int, limit: int) -> Sequence[Entry]:
        """Return at most `limit` entries beyond `after_position` in order; empty at the end. Raises JournalError."""
        try:
            with self._readers.lend() as connection:
                return read_entries(connection, after_position, limit)
        except (apsw.Error, ReadersBusyError) as error:
            raise self._unreadable(error) from error

    def signed(self, position: int) -> SignedBatch | None:
        """Return the signed bytes behind an entry, None where there is no such entry. Raises JournalError."""
        try:
            with self._readers.lend() as connection:
                return read_signed(connection, position)
        except (apsw.Error, ReadersBusyError) as error:
            raise self._unreadable(error) from error

    def prune(self, before: datetime, up_to_position: int) -> int:
        """Delete the oldest entries that were received before the aware time `before` and lie no further.

        Returns how many; blocks until they are gone, while acceptance goes on. What was received stays known, and the
        last entry stays. Raises JournalError.
        """
        pruned_count = 0
        while True:
            try:
                with self._readers.lend() as connection:
                    spent = find_spent(connection, up_to_position, to_us(before), _PRUNED_AT_ONCE)
                if spent is None:
                    return pruned_count
                self._writer.delete(spent).result(_ACCEPT_DEADLINE_S)
            except (apsw.Error, ReadersBusyError, TimeoutError) as error:
                raise JournalError(f"old entries of the journal {self._path} cannot be deleted: {error}") from error
            pruned_count += spent.entries_count

    def device_ids(self) -> Sequence[str]:
        """Return the devices that ever brought a reading. Raises JournalError."""
        try:
            with self._readers.lend() as connection:
                rows = connection.execute("SELECT DISTINCT device_id FROM stream ORDER BY device_id").fetchall()
        except (apsw.Error, ReadersBusyError) as error:
            raise self._unreadable(error) from error
        return [str(row[0]) for row in rows]

    def gaps(self, device_id: str) -> list[Gap]:
        """Return what the collector knows that it has not got of a device, by epoch and number. Raises JournalError."""
        try:
            with self._readers.lend() as connection:
                rows = cast(list[tuple[str, int, int]], connection.execute(_RANGES, (device_id,)).fetchall())
        except (apsw.Error, ReadersBusyError) as error:
            raise self._unreadable(error) from error
        received: dict[str, list[SeqRange]] = {}
        for epoch, first, last in rows:
            received.setdefault(epoch, []).append(SeqRange(first, last))
        return [
            Gap(epoch=epoch, first_seq=gap.first, last_seq=gap.last)
            for epoch, ranges in received.items()
            for gap in missing(ranges)
        ]

    async def wait_beyond(self, position: int, patience_s: float) -> bool:
        """Return True as soon as an entry beyond `position` is on disk, False when `patience_s` is over."""
        event = asyncio.Event()
        waiter = (asyncio.get_running_loop(), event)
        with self._guard:
            self._waiters.append(waiter)
        try:
            if self._position > position:
                return True
            async with asyncio.timeout(patience_s):
                await event.wait()
        except TimeoutError:
            return self._position > position
        else:
            return self._position > position
        finally:
            with self._guard:
                self._waiters.remove(waiter)

    def close(self) -> None:
        """Write what waits and let go of the files. Raises JournalError if the disk does not answer."""
        self._writer.close()
        self._readers.close()
        self._lock.close()

    def _committed(self, position: int) -> None:
        self._position = position
        with self._guard:
            waiters = list(self._waiters)
        for loop, event in waiters:
            with suppress(RuntimeError):  # the waiter's loop has ended meanwhile
                loop.call_soon_threadsafe(event.set)

    def _give_up(self, answer: asyncio.Future[Admitted]) -> None:
        if not answer.done():
            late = f"the disk of {self._path} did not answer within {_ACCEPT_DEADLINE_S:g} s"
            answer.set_exception(JournalError(late))

    def _unreadable(self, error: Exception) -> JournalError:
        return JournalError(f"cannot read the journal {self._path}: {error}")


def _lock(path: Path) -> apsw.Connection:
    """Hold `path` for this process until closed; a killed process lets go. Raises JournalError if another holds it."""
    lock = apsw.Connection(str(path))
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except apsw.Error as error:
        lock.close()
        raise JournalError(
            f"another process uses the journal in {path.parent} ({error}); stop that collector first, "
            "or give this one another data directory"
        ) from error
    return lock
