"""Tables of the journal's file, and the check that a file is one.

`entry` is append-only: the signed bytes of each batch that brought something new, with the time of each accepted
reading, frozen. `received_range` holds, for each stream (a device's epoch), which sequence numbers were ever accepted:
it stays small, since neighbours are merged, and stays for ever, so that no reading counts twice. `span` says which
entry holds a run of numbers; it may be pruned with its entries.
"""

from pathlib import Path

import apsw

from mektep_collector.journal.error import JournalError

_APPLICATION_ID = 0x4D4B544A
_VERSION = 1

_TABLES = """
CREATE TABLE entry (
  position INTEGER PRIMARY KEY,
  batch_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  school_id TEXT NOT NULL,
  received_us INTEGER NOT NULL,
  signature BLOB NOT NULL,
  judgements BLOB NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE stream (
  stream INTEGER PRIMARY KEY,
  device_id TEXT NOT NULL,
  epoch TEXT NOT NULL,
  UNIQUE (device_id, epoch)
);
CREATE TABLE received_range (
  stream INTEGER NOT NULL REFERENCES stream,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  PRIMARY KEY (stream, first_seq)
) WITHOUT ROWID;
CREATE TABLE span (
  stream INTEGER NOT NULL REFERENCES stream,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  position INTEGER NOT NULL REFERENCES entry,
  PRIMARY KEY (stream, first_seq)
) WITHOUT ROWID;
"""


def prepare(connection: apsw.Connection, path: Path | str) -> None:
    """Make the tables in a new file; raises JournalError for a file of something else or of a newer version."""
    application_id = connection.pragma("application_id")
    version = connection.pragma("user_version")
    if application_id == _APPLICATION_ID and version == _VERSION:
        return
    if application_id == _APPLICATION_ID:
        raise JournalError(
            f"{path} was written by a newer collector (journal version {version}, this one knows {_VERSION}); "
            "start that collector again, or restore a backup made before it"
        )
    if connection.execute("SELECT count(*) FROM sqlite_schema").get:
        raise JournalError(f"{path} is a database of something else; give the journal a directory of its own")
    with connection:
        connection.execute(_TABLES)
        connection.pragma("application_id", _APPLICATION_ID)
        connection.pragma("user_version", _VERSION)
