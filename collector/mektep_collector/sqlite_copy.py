"""A SQLite file copied while others write it, and looked through for harm."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import apsw

_STEP_PAGES = 4_096
_BUSY_TIMEOUT_MS = 15_000
_FAULTS_SHOWN = 3


def copy_database(source: Path, target: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> None:
    """Copy one state of a database, as of this moment, into a new file; writers go on meanwhile.

    `progress` is told how many pages are done, and of how many. Raises apsw.Error; the target is then unfinished.
    """
    reading = _opened(source)
    try:
        writing = apsw.Connection(str(target))
        try:
            # One read transaction holds the state: without it each write of others would begin the copy anew.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            with writing.backup("main", reading, "main") as copying:
                while not copying.done:
                    copying.step(_STEP_PAGES)
                    progress(copying.page_count - copying.remaining, copying.page_count)
            reading.execute("ROLLBACK")
            writing.execute("PRAGMA journal_mode=DELETE").fetchall()
        finally:
            writing.close()
    finally:
        reading.close()


def faults_of(path: Path) -> list[str]:
    """Return what SQLite's own check says is wrong with a file, the first few of it; empty for a sound one."""
    try:
        connection = _opened(path)
        try:
            rows = cast(list[tuple[str]], connection.execute(f"PRAGMA quick_check({_FAULTS_SHOWN})").fetchall())
        finally:
            connection.close()
    except apsw.Error as error:
        return [str(error)]
    return [said for (said,) in rows if said != "ok"]


def _opened(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
    return connection
