"""Assignments as they were given: signed once, the same bytes for as long as what they say does not change."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from sqlalchemy import delete, insert, select

from mektep_collector.registry.database import Database
from mektep_collector.registry.signing_key import SigningKey
from mektep_collector.registry.tables import ASSIGNMENTS
from mektep_wire import Assignment, Purpose, SignedAssignment, encode

_UNISSUED_VERSION = 1
_UNISSUED_AT = datetime(2020, 1, 1, tzinfo=UTC)

Compose = Callable[[int, datetime], Assignment]
"""Makes an assignment for a version and a time of issue."""


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment ready to be sent, and its version."""

    version: int
    signed: SignedAssignment


class Assignments:
    """The last assignment of each device."""

    def __init__(self, database: Database, key: SigningKey) -> None:
        self._database = database
        self._key = key

    def given(self, device_id: str) -> Assignment | None:
        """Return what a device last fetched, None where it fetched none yet; `issued_at` is when it first did."""
        query = select(ASSIGNMENTS.c.payload).where(ASSIGNMENTS.c.device_id == device_id)
        with self._database.reading() as connection:
            last = connection.execute(query).first()
        return None if last is None else msgspec.json.decode(last.payload, type=Assignment)

    def announced(self, device_id: str, compose: Compose) -> int:
        """Return the version that `issue` would give, or, where it would give a new one, a number between old and new.

        It only reads, so it waits for nobody who writes.
        """
        content_hash = _content_hash(compose)
        query = select(ASSIGNMENTS.c.version, ASSIGNMENTS.c.content_hash).where(ASSIGNMENTS.c.device_id == device_id)
        with self._database.reading() as connection:
            last = connection.execute(query).first()
        if last is None:
            return 1
        version: int = last.version
        return version if last.content_hash == content_hash else version + 1

    def issue(self, device_id: str, compose: Compose, now: datetime) -> Issued:
        """Return the device's assignment: the last one where `compose` still says the same, else a new version.

        Versions rise for ever. They follow the clock's seconds, so that they rise too after the registry was brought
        back from an older backup.
        """
        content_hash = _content_hash(compose)
        query = select(ASSIGNMENTS).where(ASSIGNMENTS.c.device_id == device_id)
        with self._database.reading() as connection:
            last = connection.execute(query).first()
        if last is not None and last.content_hash == content_hash:
            return _issued(last.version, last.payload, last.signature)
        with self._database.writing() as connection:
            last = connection.execute(query.with_for_update()).first()
            if last is not None and last.content_hash == content_hash:
                return _issued(last.version, last.payload, last.signature)
            version = max(int(now.timestamp()), 0 if last is None else last.version + 1)
            payload = encode(compose(version, now))
            signature = self._key.sign(Purpose.ASSIGNMENT, payload)
            connection.execute(delete(ASSIGNMENTS).where(ASSIGNMENTS.c.device_id == device_id))
            connection.execute(
                insert(ASSIGNMENTS).values(
                    device_id=device_id,
                    version=version,
                    content_hash=content_hash,
                    payload=payload,
                    signature=signature,
                    issued_at=now,
                )
            )
        return _issued(version, payload, signature)


def _content_hash(compose: Compose) -> bytes:
    """Return what tells one content from another, whatever their versions and times of issue."""
    return hashlib.sha256(encode(compose(_UNISSUED_VERSION, _UNISSUED_AT))).digest()


def _issued(version: int, payload: bytes, signature: bytes) -> Issued:
    return Issued(version=version, signed=SignedAssignment(payload=payload, signature=signature))
