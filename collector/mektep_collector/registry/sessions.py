"""Sessions of people who were let in, kept by the collector: each can be ended at once. Tokens are kept as hashes."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, insert, or_, select, update

from mektep_collector.clock import TimeSource
from mektep_collector.registry.database import Database
from mektep_collector.registry.people import Person, PersonStatus, person_of
from mektep_collector.registry.tables import PEOPLE, SESSIONS

_TOKEN_BYTES: Final = 32
_NOTED_EVERY: Final = timedelta(minutes=1)
_LONGEST_TOKEN: Final = 64


class Sessions:
    """Open sessions. Safe for many threads."""

    def __init__(self, database: Database, time: TimeSource) -> None:
        self._database = database
        self._time = time

    def begin(self, login: str, lifetime: timedelta) -> str:
        """Begin a session that ends with `lifetime` at the latest; return its token, which is shown this once."""
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self._time.now()
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.ends_at <= now))
            connection.execute(
                insert(SESSIONS).values(
                    token_hash=_hash(token), login=login, began_at=now, seen_at=now, ends_at=now + lifetime
                )
            )
        return token

    def find(self, token: str, idle: timedelta) -> Person | None:
        """Return whose session it is, None where there is none, or it was left for `idle`, or is over."""
        if not 0 < len(token) <= _LONGEST_TOKEN:
            return None
        now, key = self._time.now(), _hash(token)
        query = select(PEOPLE, SESSIONS.c.seen_at).join_from(SESSIONS, PEOPLE, SESSIONS.c.login == PEOPLE.c.login)
        alive = (SESSIONS.c.token_hash == key) & (SESSIONS.c.ends_at > now) & (SESSIONS.c.seen_at > now - idle)
        with self._database.reading() as connection:
            row = connection.execute(query.where(alive)).first()
        if row is None or row.status != PersonStatus.ACTIVE.value:
            return None
        if now - row.seen_at >= _NOTED_EVERY:
            with self._database.writing() as connection:
                connection.execute(update(SESSIONS).where(SESSIONS.c.token_hash == key).values(seen_at=now))
        return person_of(row)

    def end(self, token: str) -> None:
        """End a session, if there is such a one."""
        with self._database.writing() as connection:
            connection.execute(
                delete(SESSIONS).where(
                    or_(SESSIONS.c.token_hash == _hash(token), SESSIONS.c.ends_at <= self._time.now())
                )
            )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
