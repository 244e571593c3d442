"""Entries as they are read back: by readers, and by the admission that compares a duplicate with what is stored."""

from typing import NamedTuple, cast

import apsw
import msgspec

from mektep_collector.journal.by_column import AcceptedByColumn
from mektep_collector.journal.correction import from_us
from mektep_collector.journal.entry import Entry
from mektep_collector.journal.error import JournalError
from mektep_collector.journal.gzip_member import GzipError, plain_of
from mektep_collector.journal.judgement import unpack as unpack_judgements
from mektep_collector.journal.submission import open_accepted, open_batch
from mektep_wire import Columns, WireError
from mektep_wire.batch import MAX_BATCH_BYTES

_Row = tuple[int, str, str, int, bytes, bytes]
_AFTER = """
SELECT position, device_id, school_id, received_us, judgements, body FROM entry
WHERE position > ? ORDER BY position LIMIT ?
"""


class SignedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence: a batch as it was sent and the device's Ed25519 signature over `signing_input(Purpose.BATCH, body)`."""

    device_id: str
    body: bytes
    signature: bytes


class ReadingKey(NamedTuple):
    """What makes a reading itself."""

    id: str
    epoch: str
    seq: int


def read_entries(connection: apsw.Connection, after_position: int, limit: int) -> list[Entry]:
    """Return at most `limit` entries beyond `after_position`, in order. Raises apsw.Error and JournalError."""
    rows = cast(list[_Row], connection.execute(_AFTER, (after_position, limit)).fetchall())
    return [_entry(row) for row in rows]


def read_signed(connection: apsw.Connection, position: int) -> SignedBatch | None:
    """Return the evidence of one entry, None where there is none at `position`. Raises apsw.Error."""
    row = connection.execute("SELECT device_id, body, signature FROM entry WHERE position = ?", (position,)).fetchone()
    if row is None:
        return None
    return SignedBatch(device_id=row[0], body=row[1], signature=row[2])


def read_keys(connection: apsw.Connection, position: int) -> list[ReadingKey]:
    """Return the keys of an entry's accepted readings, empty where the entry is gone. Raises apsw.Error."""
    row = connection.execute("SELECT judgements, body FROM entry WHERE position = ?", (position,)).fetchone()
    if row is None:
        return []
    opened = open_batch(plain_of(row[1], MAX_BATCH_BYTES))
    wanted = {index for index, _, _ in unpack_judgements(row[0])}
    keys = keys_of(opened.columns) if opened.columns is not None else []
    return [key for index, key in zip(opened.indexes, keys, strict=True) if index in wanted]


def keys_of(columns: Columns) -> list[ReadingKey]:
    """Return what makes each reading itself, in the order of the columns."""
    epochs = columns.epoch
    places = epochs.at if epochs.at is not None else [0] * len(columns.seq)
    return [
        ReadingKey(id_, epochs.table[place], seq)
        for id_, place, seq in zip(columns.id, places, columns.seq, strict=True)
    ]


def _entry(row: _Row) -> Entry:
    position, device_id, school_id, received_us, judgements, body = row
    judged = unpack_judgements(judgements)
    try:
        columns = open_accepted(plain_of(body, MAX_BATCH_BYTES), [index for index, _, _ in judged])
    except (GzipError, WireError) as error:
        raise JournalError(
            f"entry {position} of the journal no longer reads as it was accepted ({error}); restore a backup, or start "
            "the collector's version that accepted it"
        ) from error
    return Entry(
        position=position,
        received_at=from_us(received_us),
        accepted=AcceptedByColumn(
            columns,
            [at_us for _, at_us, _ in judged],
            [method for _, _, method in judged],
            device_id=device_id,
            school_id=school_id,
        ),
    )
