"""Tables of the embedded store's file of recent readings.

`payload` holds each reading whole, in the order of the journal. `run` holds what series need of it, clustered by
school, kind and time, so that a school's month of one kind is a few neighbouring pages. `latest` points at the newest
run of each kind of a school. Everything here can be made again from the journal.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import apsw

from mektep_collector.store.error import StoreError
from mektep_wire import Direction, ProbeName

ITEMS_BITS = 10
"""A payload's key is the journal's position and the place within the entry, in this many low bits."""

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

HAS_AUDIT: Final = "instr(metrics, CAST('_full_length_mbps' AS BLOB)) > 0"
"""Tells in SQL whether a run's metrics name a full-length figure. The index of audits is over just these runs."""

_APPLICATION_ID = 0x4D4B5453
_VERSION = 1

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
CREATE TABLE payload (
  payload INTEGER PRIMARY KEY,
  school INTEGER NOT NULL,
  device INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  time_method TEXT NOT NULL,
  reading BLOB NOT NULL
);
CREATE TABLE run (
  school INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  payload INTEGER NOT NULL,
  device INTEGER NOT NULL,
  engine TEXT NOT NULL,
  outcome TEXT NOT NULL,
  origin TEXT NOT NULL,
  cause TEXT,
  metrics BLOB NOT NULL,
  PRIMARY KEY (school, kind, at_us, payload)
) WITHOUT ROWID;
CREATE TABLE latest (
  school INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  payload INTEGER NOT NULL,
  PRIMARY KEY (school, kind)
) WITHOUT ROWID;
"""
_AUDIT_INDEX = f"CREATE INDEX IF NOT EXISTS audit ON run (school, at_us) WHERE {HAS_AUDIT}"


def prepare(connection: apsw.Connection, path: Path) -> None:
    """Make the tables in a new file; raises StoreError for a file of something else or of another version."""
    application_id = connection.pragma("application_id")
    version = connection.pragma("user_version")
    if application_id == _APPLICATION_ID and version == _VERSION:
        connection.execute(_AUDIT_INDEX)
        return
    if application_id == _APPLICATION_ID:
        raise StoreError(
            f"{path} has version {version}, this collector knows {_VERSION}; set the file aside, "
            "and the store is made again from the journal"
        )
    if connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise StoreError(f"{path} is a database of something else; give the store a directory of its own")
    with connection:
        connection.execute(_TABLES)
        connection.execute(_AUDIT_INDEX)
        connection.pragma("application_id", _APPLICATION_ID)
        connection.pragma("user_version", _VERSION)
