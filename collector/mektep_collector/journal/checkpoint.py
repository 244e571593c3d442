"""When the write-ahead log is moved into the file (SQLite's checkpoint), so that it neither grows nor stops the writer.

SQLite's own automatic checkpoints never begin the log anew while one long reader after another is at work; the log
then grows by gigabytes. Here readers pause for the some 20 ms that a checkpoint takes.
"""

import time

import apsw

from mektep_collector.journal.connection import BUSY_TIMEOUT_MS
from mektep_collector.journal.readers import Readers

LOG_LIMIT_PAGES = 4_096
"""16 MiB: long enough that a checkpoint is rare, short enough that it takes some 20 ms."""
_READERS_PATIENCE_S = 0.25
_CHECKPOINT_BUSY_TIMEOUT_MS = 100


class Checkpoints:
    """Checkpoints of one writer's connection; belongs to the writing thread."""

    def __init__(self, connection: apsw.Connection, readers: Readers, limit_pages: int = LOG_LIMIT_PAGES) -> None:
        self._connection = connection
        self._readers = readers
        self._limit_pages = limit_pages
        self._due_pages = limit_pages
        self._log_pages = 0
        connection.set_wal_hook(self._committed)

    def run_if_due(self) -> float | None:
        """Move a log that has grown to its limit; returns the seconds it took, None where it was not due.

        Readers that do not finish in time keep what they need of the log; the rest is moved, and the next attempt is
        made after as many pages more. Raises apsw.Error when the file cannot be written: what was committed is safe in
        the log.
        """
        if self._log_pages < self._due_pages:
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
