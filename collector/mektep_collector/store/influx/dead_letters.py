"""Points that the server will never take, kept with its reason until somebody mends that and sends them again."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import apsw
import msgspec

from mektep_collector.store.error import StoreError

FILE = "dead_letters.db"
_BUSY_TIMEOUT_MS = 15_000
_SCHEMA = "CREATE TABLE IF NOT EXISTS letter (line TEXT PRIMARY KEY, reason TEXT NOT NULL) STRICT, WITHOUT ROWID"
_ADD = "INSERT INTO letter (line, reason) VALUES (?, ?) ON CONFLICT (line) DO UPDATE SET reason = excluded.reason"

_OUTSIDE = "SELECT count(*) FROM letter WHERE substr(line, 1, ?) <> ?"


class DeadLetter(msgspec.Struct, frozen=True):
    """A point as a line, and what the server said of it."""

    line: str
    reason: str


class DeadLetters:
    """A file of them: each once, on disk when `add` returns. Safe for many threads. Close it when done."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it. Raises StoreError."""
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = apsw.Connection(str(path))
            self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(_SCHEMA)
        except (apsw.Error, OSError) as error:
            raise StoreError(f"the refused points in {path} cannot be kept: {error}") from error
        self._path = path

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """Keep letters; one that is there already has its reason renewed. Raises StoreError."""
        try:
            with self._lock, self._connection:
                self._connection.executemany(_ADD, [(letter.line, letter.reason) for letter in letters])
        except apsw.Error as error:
            raise StoreError(f"the refused points in {self._path} cannot be kept: {error}") from error

    def count(self) -> int:
        """Return how many there are."""
        with self._lock:
            row = self._connection.execute("SELECT count(*) FROM letter").fetchone()
        return int(cast(tuple[int], row)[0])

    def count_outside(self, measurement: str) -> int:
        """Return how many there are of other measurements than this one."""
        start = f"{measurement},"
        with self._lock:
            row = self._connection.execute(_OUTSIDE, (len(start), start)).fetchone()
        return int(cast(tuple[int], row)[0])

    def all(self) -> Sequence[DeadLetter]:
        """Return them, in the order of their lines."""
        with self._lock:
            rows = self._connection.execute("SELECT line, reason FROM letter ORDER BY line").fetchall()
        return [DeadLetter(line, reason) for line, reason in cast(list[tuple[str, str]], rows)]

    def remove(self, letters: Sequence[DeadLetter]) -> None:
        """Forget letters that the server has taken since. Raises StoreError."""
        try:
            with self._lock, self._connection:
                self._connection.executemany("DELETE FROM letter WHERE line = ?", [(each.line,) for each in letters])
        except apsw.Error as error:
            raise StoreError(f"the refused points in {self._path} cannot be kept: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
