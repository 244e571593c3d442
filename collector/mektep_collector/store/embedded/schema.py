"""Tables of the embedded store's file of recent readings. Positions are the journal's.

`piece` holds what one batch brought of one kind and one day (UTC), by column as it travelled, until the day is closed
and a file of its own has it. `school_day` then holds a school's runs of that day once more, packed, for questions about
one school; a row counts only while its position is that of the day's file in force. `latest` holds the newest reading
of each kind of a school, whole, so that it outlives its day's piece. `quarantine` holds what has no time that can be
trusted.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import apsw

from mektep_collector.store.error import StoreError
from mektep_wire import Direction, ProbeName

KINDS: Mapping[tuple[ProbeName, Direction | None], int] = MappingProxyType(
    {
        (ProbeName.THROUGHPUT, Direction.DOWNLOAD): 1,
        (ProbeName.THROUGHPUT, Direction.UPLOAD): 2,
        (ProbeName.LATENCY, None): 3,
        (ProbeName.PATH, None): 4,
        (ProbeName.PLATFORM, None): 5,
        (ProbeName.OUTAGE, None): 6,
    }
)
"""Numbers of (probe, direction) on disk: a number is never given a second meaning."""

KIND_OF: Mapping[int, tuple[ProbeName, Direction | None]] = MappingProxyType(
    {number: kind for kind, number in KINDS.items()}
)
"""The (probe, direction) that a number on disk stands for."""

_APPLICATION_ID = 0x4D4B5453
_VERSION = 2

_TABLES = """
CREATE TABLE progress (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  position INTEGER NOT NULL,
  reading_count INTEGER NOT NULL,
  quarantined_count INTEGER NOT NULL
);
INSERT INTO progress VALUES (1, 0, 0, 0);
CREATE TABLE school (
  school INTEGER PRIMARY KEY,
  school_id TEXT NOT NULL UNIQUE
);
CREATE TABLE device (
  device INTEGER PRIMARY KEY,
  device_id TEXT NOT NULL UNIQUE
);
CREATE TABLE piece (
  piece INTEGER PRIMARY KEY,
  day INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  school INTEGER NOT NULL,
  position INTEGER NOT NULL,
  device INTEGER NOT NULL,
  audit_count INTEGER NOT NULL,
  reading_count INTEGER NOT NULL,
  content BLOB NOT NULL
);
CREATE INDEX piece_place ON piece (day, kind, school, position);
CREATE INDEX piece_audit ON piece (day, school) WHERE audit_count > 0;
CREATE TABLE school_day (
  school INTEGER NOT NULL,
  day INTEGER NOT NULL,
  through_position INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (school, day)
) WITHOUT ROWID;
CREATE TABLE latest (
  school INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  position INTEGER NOT NULL,
  item INTEGER NOT NULL,
  device INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (school, kind)
) WITHOUT ROWID;
CREATE TABLE quarantine (
  quarantine INTEGER PRIMARY KEY,
  school INTEGER NOT NULL,
  position INTEGER NOT NULL,
  device INTEGER NOT NULL,
  reading_count INTEGER NOT NULL,
  content BLOB NOT NULL
);
"""


def prepare(connection: apsw.Connection, path: Path) -> None:
    """Make the tables in a new file; raises StoreError for a file of something else or of another version."""
    application_id = connection.pragma("application_id")
    version = connection.pragma("user_version")
    if application_id == _APPLICATION_ID and version == _VERSION:
        return
    if application_id == _APPLICATION_ID:
        raise StoreError(
            f"{path} has version {version}, this collector knows {_VERSION}; set the store's directory aside, "
            "and it is made again from the journal"
        )
    if connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise StoreError(f"{path} is a database of something else; give the store a directory of its own")
    with connection:
        connection.execute(_TABLES)
        connection.pragma("application_id", _APPLICATION_ID)
        connection.pragma("user_version", _VERSION)
