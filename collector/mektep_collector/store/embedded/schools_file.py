"""The schools' days of one closed day on their way from the closing process into the store's tables.

A file of SQLite beside the day's own, written by the one and taken in by the other in one transaction. Whatever comes
in between, nothing depends on it: a school's day that is not in the tables is read from the day's file.
"""

from pathlib import Path
from typing import Any, Final

import apsw

from mektep_collector.store.embedded.manifest import DayFile, number_of
from mektep_collector.store.embedded.school_day import school_days

SUFFIX: Final = ".schools.unfinished"
_TABLE = "CREATE TABLE school_day (school_id TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID"
_INSERT = "INSERT INTO school_day VALUES (?, ?)"
_TAKE = """
INSERT OR REPLACE INTO main.school_day (school, day, through_position, content)
SELECT school, ?, ?, content FROM closed.school_day JOIN main.school USING (school_id)
"""


def schools_path(folder: Path, name: str) -> Path:
    """Return where the schools' days of the day's file `name` stand until they are taken in."""
    return folder / f"{name}{SUFFIX}"


class SchoolsWriter:
    """Writes the schools' days of one day into a new file at `path`; who opens it closes it. Raises apsw.Error."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._connection = apsw.Connection(str(path))
        # It can be made again: neither its journal nor its pages need to survive a power cut.
        self._connection.execute("PRAGMA journal_mode=OFF").fetchall()
        self._connection.execute("PRAGMA synchronous=OFF").fetchall()
        self._connection.execute(_TABLE)
        self._connection.execute("BEGIN")

    def write(self, table: Any) -> None:  # noqa: ANN401 (pyarrow has no types)
        """Write the schools of a sorted table of a day's rows, which are whole in it."""
        self._connection.executemany(_INSERT, list(school_days(table)))

    def close(self) -> None:
        """Finish the file."""
        self._connection.execute("COMMIT")
        self._connection.close()


def take_in(connection: apsw.Connection, folder: Path, closed: DayFile) -> None:
    """Take the schools' days of a day that is in force into the tables, and delete their file. Raises apsw.Error."""
    path = schools_path(folder, closed.name)
    if not path.exists():
        return
    connection.execute("ATTACH ? AS closed", (str(path),))
    try:
        with connection:
            connection.execute(_TAKE, (number_of(closed.day), closed.through_position))
    finally:
        connection.execute("DETACH closed")
    path.unlink()
