"""Reading connections to one SQLite file, with a pause in which its log can be moved into the file.

While any reader is at work, SQLite cannot begin its write-ahead log anew, and a log that is never begun anew grows
without bound. So the writer asks for a pause: new readers wait, those at work finish, the log is moved, all go on.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from mektep_collector.journal.connection import open_reader

_PATIENCE_S = 30.0


class ReadersBusyError(Exception):
    """No reading connection came free in time."""


class Readers:
    """At most `limit` reading connections, lent to one thread each. Who makes it closes it."""

    def __init__(self, path: Path, limit: int = 4) -> None:
        self._path = path
        self._limit = limit
        self._idle: list[apsw.Connection] = []
        self._lent_count = 0
        self._paused = False
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def lend(self) -> Iterator[apsw.Connection]:
        """Give a connection for the time of the block. Read all rows inside: a cursor left open holds the log.

        Raises ReadersBusyError after 30 s without a free one.
        """
        with self._changed:
            free = self._changed.wait_for(
                lambda: self._closed or (not self._paused and self._lent_count < self._limit), _PATIENCE_S
            )
            if self._closed or not free:
                raise ReadersBusyError(f"no connection to {self._path} came free within {_PATIENCE_S:g} s")
            self._lent_count += 1
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or open_reader(self._path)
            yield connection
        finally:
            with self._changed:
                self._lent_count -= 1
                if connection is not None:
                    self._take_back(connection)
                self._changed.notify_all()

    @contextmanager
    def paused(self, patience_s: float) -> Iterator[bool]:
        """Hold new readers back for the time of the block; yields whether all readers were done within `patience_s`."""
        with self._changed:
            self._paused = True
            drained = self._changed.wait_for(lambda: self._lent_count == 0, patience_s)
        try:
            yield drained
        finally:
            with self._changed:
                self._paused = False
                self._changed.notify_all()

    def close(self) -> None:
        """Close all idle connections; those lent are closed when they come back."""
        with self._changed:
            self._closed = True
            for connection in self._idle:
                connection.close()
            self._idle.clear()
            self._changed.notify_all()

    def _take_back(self, connection: apsw.Connection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)
