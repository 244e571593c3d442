"""The outbox's tables, and how a connection to them is opened so that a commit is on disk when it returns."""

import os
import sqlite3
from pathlib import Path

from mektep_agent.config.state_folder import settle_folder
from mektep_agent.outbox.parcel import Census
from mektep_agent.outbox.sqlite_fault import DamageError

PAGE_BYTES = 4_096
_BUSY_TIMEOUT_S = 5.0
_APPLICATION_ID = 0x4D4B5431  # "MKT1": an outbox, and not some other program's file

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) WITHOUT ROWID;
CREATE TABLE reading (seq INTEGER PRIMARY KEY, worth INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE INDEX reading_by_worth ON reading (worth, seq);
CREATE TABLE mark (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE dead (
  number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, at TEXT NOT NULL, field TEXT NOT NULL, reason TEXT NOT NULL,
  payload BLOB NOT NULL
);
CREATE TABLE note (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
"""


def create(file: Path, epoch: str) -> None:
    """Make a new outbox; it appears under its name only once it is whole. Raises sqlite3.Error and OSError."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(fresh, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        connection.executescript(f"BEGIN; {_TABLES}")
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [("epoch", epoch), ("last_seq", 0), ("dropped_count", 0)]
        )
        connection.execute("COMMIT")
    finally:
        connection.close()
    fresh.replace(file)
    settle_folder(file.parent)


def connect(file: Path, max_bytes: int) -> sqlite3.Connection:
    """Open an outbox and look through all of it; raises sqlite3.DatabaseError where it is damaged."""
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_TIMEOUT_S,
    )
    try:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA cache_size=-512")
        connection.execute(f"PRAGMA max_page_count={max(max_bytes // PAGE_BYTES, 1)}")
        _examine(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _examine(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA application_id").fetchone() != (_APPLICATION_ID,):
        raise DamageError("the file is not an outbox, or it is empty")
    findings = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    if findings != ["ok"]:
        raise DamageError("; ".join(findings))
    take_census(connection)


def take_census(connection: sqlite3.Connection) -> Census:
    """Return how the outbox stands; raises sqlite3.Error, DamageError where something is missing."""
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if not meta.keys() >= {"epoch", "last_seq", "dropped_count"}:
        raise DamageError("the outbox has lost its epoch or its counters")
    queued_count, queued_bytes, oldest_seq = connection.execute(
        "SELECT count(*), coalesce(sum(length(payload)), 0), min(seq) FROM reading"
    ).fetchone()
    (dead_count,) = connection.execute("SELECT count(*) FROM dead").fetchone()
    (page_count,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return Census(
        epoch=meta["epoch"],
        last_seq=meta["last_seq"],
        queued_count=queued_count,
        queued_bytes=queued_bytes,
        oldest_seq=oldest_seq,
        dead_count=dead_count,
        dropped_count=meta["dropped_count"],
        file_bytes=page_count * page_bytes,
    )
