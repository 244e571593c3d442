"""Entries as they are read back: by readers, and by the admission that compares a duplicate with what is stored."""

from collections.abc import Sequence
from typing import cast

import apsw
import msgspec

from mektep_collector.journal.correction import from_us
from mektep_collector.journal.entry import Accepted, Entry
from mektep_collector.journal.error import JournalError
from mektep_collector.journal.gzip_member import GzipError, plain_of
from mektep_collector.journal.judgement import unpack
from mektep_collector.journal.submission import TypedBatch
from mektep_wire import Batch, Reading, WireError, decode
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


class ReadingKey(msgspec.Struct, frozen=True):
    """What makes a reading itself; all else of it is passed over when decoded."""

    id: str
    epoch: str
    seq: int


class _BatchKeys(msgspec.Struct, frozen=True):
    readings: list[ReadingKey]


class _LooseBatchKeys(msgspec.Struct, frozen=True):
    readings: list[msgspec.Raw]


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
    return keys_of(row[1], [index for index, _, _ in unpack(row[0])])


def keys_of(body: bytes, indexes: Sequence[int]) -> list[ReadingKey]:
    """Return the keys of the readings at `indexes` of a batch that was opened before."""
    plain = plain_of(body, MAX_BATCH_BYTES)
    try:
        keys: Sequence[ReadingKey] = msgspec.json.decode(plain, type=_BatchKeys).readings
        return [keys[index] for index in indexes]
    except msgspec.ValidationError:
        # A refused neighbour in the same batch may lack anything, so only the accepted ones are opened.
        raws = msgspec.json.decode(plain, type=_LooseBatchKeys).readings
        return [msgspec.json.decode(raws[index], type=ReadingKey) for index in indexes]


def _entry(row: _Row) -> Entry:
    position, device_id, school_id, received_us, judgements, body = row
    judged = unpack(judgements)
    try:
        readings = _readings(plain_of(body, MAX_BATCH_BYTES), [index for index, _, _ in judged])
    except (GzipError, WireError) as error:
        raise JournalError(
            f"entry {position} of the journal no longer reads as it was accepted ({error}); restore a backup, or start "
            "the collector's version that accepted it"
        ) from error
    return Entry(
        position=position,
        received_at=from_us(received_us),
        accepted=[
            Accepted(reading=reading, device_id=device_id, school_id=school_id, at=from_us(at_us), time_method=method)
            for reading, (_, at_us, method) in zip(readings, judged, strict=True)
        ],
    )


def _readings(plain: bytes, indexes: Sequence[int]) -> Sequence[Reading]:
    try:
        readings: Sequence[Reading] = msgspec.json.decode(plain, type=TypedBatch).readings
    except (msgspec.DecodeError, UnicodeDecodeError):
        raws = decode(Batch, plain).readings
        return [decode(Reading, raws[index]) for index in indexes]
    return [readings[index] for index in indexes]
