"""What SQLite's errors mean for the outbox."""

import sqlite3
from enum import Enum, auto

_DAMAGED_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_GONE_CODES = {sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_READONLY_DBMOVED}
_DAMAGED_WORDS = ("no such table", "no such column", "Could not decode to UTF-8")
_PRIMARY_CODE = 0xFF


class DamageError(sqlite3.DatabaseError):
    """The file reads as SQLite but is no whole outbox."""


class Fault(Enum):
    """What stands behind an error of SQLite."""

    FULL = auto()
    """The disk or the cap has no room."""
    DAMAGED = auto()
    """The file is not what was written."""
    OTHER = auto()
    """Something that neither room nor a new file mends, such as rights, or a disk that fails."""


def fault_of(error: sqlite3.Error) -> Fault:
    """Return what stands behind `error`."""
    if isinstance(error, DamageError):
        return Fault.DAMAGED
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        if code & _PRIMARY_CODE == sqlite3.SQLITE_FULL:
            return Fault.FULL
        if code in _GONE_CODES or code & _PRIMARY_CODE in _DAMAGED_CODES:
            return Fault.DAMAGED
    # Tables that are missing from a file that reads well: it was cut back or replaced.
    return Fault.DAMAGED if str(error).startswith(_DAMAGED_WORDS) else Fault.OTHER
