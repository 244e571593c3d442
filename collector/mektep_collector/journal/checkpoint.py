"""When the write-ahead log is moved into the file (SQLite's checkpoint), so that it neither grows nor stops the writer.

SQLite's own automatic checkpoints never begin the log anew while one long reader after another is at work; the log
then grows by gigabytes. Here readers pause for what a checkpoint takes. Whoever may not wait for the disk that long
lets `LogMover` move the most of it beside, and the pause is for the rest.
"""

import threading
import time
from contextlib import suppress
from pathlib import Path

import apsw

from mektep_collector.journal.connection import BUSY_TIMEOUT_MS, Durability, open_writer
from mektep_collector.journal.readers import Readers

LOG_LIMIT_PAGES = 1_024
"""4 MiB: what the disk is kept busy with at a time, and a commit beside it waits for. With 16 MiB one batch in a
hundred waited for twice as long as the others."""
_ROUNDS_COUNT = 2
"""The second moves what was written during the first, and is short; so is what is left for the writer then."""
_READERS_PATIENCE_S = 0.25
_CHECKPOINT_BUSY_TIMEOUT_MS = 100


class LogMover:
    """Moves a log into its file by a connection and a thread of its own, while the writer goes on.

    Belongs to the writing thread, whose checkpoint then finds little left to do, and alone begins the log anew. Who
    makes it closes it.
    """

    def __init__(self, path: Path, durability: Durability) -> None:
        self._path = path
        self._durability = durability
        self._thread: threading.Thread | None = None

    def has_moved(self) -> bool:
        """Tell whether what was begun is done; begins where nothing is at work."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._move, name="log-mover", daemon=True)
            self._thread.start()
            return False
        if self._thread.is_alive():
            return False
        self._thread = None
        return True

    def close(self) -> None:
        """Wait for what is at work."""
        if self._thread is not None:
            self._thread.join()

    def _move(self) -> None:
        # What cannot be moved here, the writer's own checkpoint meets again, and says.
        with suppress(apsw.Error):
            connection = open_writer(self._path, self._durability)
            try:
                for _ in range(_ROUNDS_COUNT):
                    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            finally:
                connection.close()


class Checkpoints:
    """Checkpoints of one writer's connection; belongs to the writing thread. `mover` goes before each, where given."""

    def __init__(
        self,
        connection: apsw.Connection,
        readers: Readers,
        limit_pages: int = LOG_LIMIT_PAGES,
        mover: LogMover | None = None,
    ) -> None:
        self._connection = connection
        self._readers = readers
        self._mover = mover
        self._limit_pages = limit_pages
        self._due_pages = limit_pages
        self._log_pages = 0
        connection.set_wal_hook(self._committed)

    def run_if_due(self) -> float | None:
        """Move a log that has grown to its limit; returns the seconds it took, None where it was not due, or not yet.

        Readers that do not finish in time keep what they need of the log; the rest is moved, and the next attempt is
        made after as many pages more. Raises apsw.Error when the file cannot be written: what was committed is safe in
        the log.
        """
        if self._log_pages < self._due_pages or not (self._mover is None or self._mover.has_moved()):
            return None
        began_s = time.monotonic()
        self._due_pages = self._log_pages + self._limit_pages
        with self._readers.paused(_READERS_PATIENCE_S) as drained:
            if drained and self._restarted():
                self._due_pages = self._limit_pages
                self._log_pages = 0
            else:
                self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return time.monotonic() - began_s

    def _restarted(self) -> bool:
        """Tell whether the whole log was moved; a reader in another process, such as a backup, can prevent it."""
        self._connection.set_busy_timeout(_CHECKPOINT_BUSY_TIMEOUT_MS)
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
        except apsw.BusyError:
            return False
        else:
            return True
        finally:
            self._connection.set_busy_timeout(BUSY_TIMEOUT_MS)

    def _committed(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        self._log_pages = pages
        return apsw.SQLITE_OK
