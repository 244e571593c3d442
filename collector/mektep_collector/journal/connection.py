"""SQLite as journal and store use it: through apsw, write-ahead log, every commit on disk before it returns.

SQLite from 3.7.0 to 3.51.2 can lose commits or harm the file when a write-ahead log with two connections is reset
(https://sqlite.org/wal.html, section 11); Python's own `sqlite3` module often carries such a version. apsw brings its
own SQLite, and its version is checked here.
"""

from enum import StrEnum
from pathlib import Path

import apsw

SOUND_SQLITE = (3, 51, 3)
BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another process, such as a backup, to let go of the file."""


class UnsoundSqliteError(RuntimeError):
    """The SQLite in use has a fault that can lose commits."""


def require_sound_sqlite(version: str | None = None) -> None:
    """Raise UnsoundSqliteError if the SQLite in use (or `version`) has the fault of the log's reset."""
    found = version or apsw.sqlite_lib_version()
    numbers = tuple(int(part) for part in found.split("."))
    if numbers < SOUND_SQLITE or numbers[:2] == (3, 52):
        wanted = ".".join(map(str, SOUND_SQLITE))
        raise UnsoundSqliteError(
            f"SQLite {found} can lose commits of a write-ahead log; install apsw with SQLite {wanted} or newer"
        )


class Durability(StrEnum):
    """What a power cut may take, as SQLite's `synchronous` says it. Neither loses a commit when a process is killed."""

    EVERY_COMMIT = "FULL"
    """Nothing: a commit is on disk when it returns."""
    EVERY_CHECKPOINT = "NORMAL"
    """The newest commits; for what can be made again from the journal."""


def open_writer(path: Path, durability: Durability) -> apsw.Connection:
    """Open or create `path` for one writing thread; who opens it closes it. Raises apsw.Error.

    The log is moved into the file only when the owner says so (`Checkpoints`).
    """
    require_sound_sqlite()
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={durability.value}",
            "wal_autocheckpoint=0",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except apsw.Error:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> apsw.Connection:
    """Open `path`, which exists, for reading only; who opens it closes it. Raises apsw.Error."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_TIMEOUT_MS)
    return connection
