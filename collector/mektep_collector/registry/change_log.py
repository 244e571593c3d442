"""The log of changes: who changed what and when, append-only and hash-chained, its end sealed with the collector's key.

A change is recorded in the transaction that makes it: there is none without its row. Whoever can write the database but
has not the key file can change no row, remove none and reorder none without `verify` saying so. Bringing back an older
copy of the whole database is found by an end that was noted elsewhere (`verify` takes one).
"""

import hmac
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select

from mektep_collector.registry.change_chain import NO_HASH, Action, Change, Fault, content_hash, first_fault, hash_of
from mektep_collector.registry.database import Database
from mektep_collector.registry.signing_key import SigningKey
from mektep_collector.registry.tables import CHANGES, CHANGES_HEAD

COLLECTOR = "collector"
"""The actor where nobody else is known."""

_HEAD_ID = 1
_SEAL_LABEL = b"mektep-meter/1/end of the log of changes"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of the log found: how many changes, the hash it ends with, and the first fault, None for none."""

    count: int
    end_hash: bytes
    fault: Fault | None


class ChangeLog:
    """The registry's log of changes."""

    def __init__(self, database: Database, key: SigningKey) -> None:
        self._database = database
        self._seal_key = key.derived(_SEAL_LABEL)

    def record(
        self,
        connection: Connection,
        actor: str,
        action: Action,
        changed: str,
        now: datetime,
        before: object = None,
        after: object = None,
    ) -> None:
        """Add a change within the caller's writing transaction. `before` and `after` are hashed; hand in no secrets."""
        head = connection.execute(select(CHANGES_HEAD).where(CHANGES_HEAD.c.id == _HEAD_ID).with_for_update()).first()
        open_change = Change(
            number=1 if head is None else head.number + 1,
            at=now,
            actor=actor,
            action=action.value,
            object=changed,
            before_hash=None if before is None else content_hash(before),
            after_hash=None if after is None else content_hash(after),
            previous_hash=NO_HASH if head is None else head.hash,
        )
        change = msgspec.structs.replace(open_change, hash=hash_of(open_change))
        connection.execute(insert(CHANGES).values(**msgspec.structs.asdict(change)))
        connection.execute(delete(CHANGES_HEAD).where(CHANGES_HEAD.c.id == _HEAD_ID))
        connection.execute(
            insert(CHANGES_HEAD).values(
                id=_HEAD_ID,
                number=change.number,
                hash=change.hash,
                seal=self._seal(change.number, change.hash),
                at=now,
            )
        )

    def newest(self, count: int) -> Sequence[Change]:
        """Return the last `count` changes, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(CHANGES).order_by(CHANGES.c.number.desc()).limit(count))
            return [_change(row) for row in rows]

    def verify(self, noted_number: int = 0, noted_hash: bytes = NO_HASH) -> Verified:
        """Check every row, and that the log still holds the change that was noted elsewhere as its end, if one was."""
        with self._database.reading() as connection:
            head = connection.execute(select(CHANGES_HEAD).where(CHANGES_HEAD.c.id == _HEAD_ID)).first()
            number, end_hash = (0, NO_HASH) if head is None else (head.number, head.hash)
            fault = first_fault(_all(connection), number, end_hash)
            noted = connection.execute(select(CHANGES.c.hash).where(CHANGES.c.number == noted_number)).scalar()
        if fault is None and head is not None and not hmac.compare_digest(head.seal, self._seal(number, end_hash)):
            fault = Fault(number=number, reason="the log's end does not bear the seal of this collector's key")
        if fault is None and noted_number > 0 and noted != noted_hash:
            fault = Fault(number=noted_number, reason="it is not the change that was noted: this log is another")
        return Verified(count=number, end_hash=end_hash, fault=fault)

    def _seal(self, number: int, end_hash: bytes) -> bytes:
        return hmac.digest(self._seal_key, number.to_bytes(8, "big") + end_hash, "sha256")


def _all(connection: Connection) -> Iterator[Change]:
    for row in connection.execute(select(CHANGES).order_by(CHANGES.c.number)):
        yield _change(row)


def _change(row: Row[*tuple[object, ...]]) -> Change:
    return Change(**row._mapping)
