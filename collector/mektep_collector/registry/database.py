"""The registry's database: one engine, transactions for reading and for writing, and its schema brought up to date.

SQLite by default, or PostgreSQL, where several collectors share one. The statements are SQLAlchemy Core's without any
that one of them alone knows. On both, one transaction writes at a time: SQLite has but one writer, and PostgreSQL takes
a lock of our own, so that no statement has to be written for two. SQLite keeps its rollback journal rather than a
write-ahead log: several processes open this file, and some systems' SQLite still has the bug that loses a log with two
connections (fixed in 3.51.3).
"""

from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from mektep_collector.registry.error import RegistryAway
from mektep_collector.registry.tables import REVISION

_BUSY_TIMEOUT_MS = 15_000
_WRITING = "mektep_writing"
_CONNECT_S = 3
_STATEMENT_MS = 15_000
_WRITERS_LOCK = 0x6D656B746570
"""`mektep`: the number of the lock that a writing transaction holds until its end."""


class Database:
    """The registry's database. Safe for many threads; other processes may use the same file at the same time."""

    def __init__(self, url: URL) -> None:
        if url.get_backend_name() == "sqlite":
            self._engine = sqlalchemy.create_engine(url)
            _prepare_sqlite(self._engine)
            self._looking = self._engine
        else:
            self._engine = sqlalchemy.create_engine(
                url.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                connect_args={"connect_timeout": _CONNECT_S, "options": f"-c statement_timeout={_STATEMENT_MS}"},
            )
            _prepare_postgresql(self._engine)
            # Each statement would see its own moment otherwise: a log that grows meanwhile would not fit its end.
            self._looking = self._engine.execution_options(isolation_level="REPEATABLE READ")

    @contextmanager
    def reading(self) -> Generator[Connection, None, None]:
        """Open a transaction that only reads, all of it as it stood at one moment. Raises RegistryAway."""
        with _in_reach(), self._looking.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection, None, None]:
        """Open a transaction that writes: kept when the block ends well, undone when it raises. Raises RegistryAway."""
        with _in_reach(), self._engine.connect() as plain:
            connection = plain.execution_options(**{_WRITING: True})
            with connection.begin():
                yield connection

    def migrate(self) -> None:
        """Bring the schema up to date. One process does it while others wait. Raises RegistryAway."""
        if self.revision() == REVISION:
            return
        # Imported only where there is something to migrate: it would be a quarter of every command's start.
        from mektep_collector.registry.migrations.upgrade import upgrade

        with self.writing() as connection:
            upgrade(connection)

    def revision(self) -> str | None:
        """Return the last migration that the database has taken, None for an empty one. Raises RegistryAway."""
        with self.reading() as connection:
            return _revision(connection)

    def close(self) -> None:
        """Close every connection. Further use is a bug."""
        self._engine.dispose()


@contextmanager
def _in_reach() -> Generator[None, None, None]:
    try:
        yield
    except OperationalError as error:
        raise RegistryAway(f"the registry cannot be used at the moment: {error.orig or error}") from error


def _revision(connection: Connection) -> str | None:
    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _prepare_postgresql(engine: Engine) -> None:
    """Let writing transactions come one after another, whichever collector they are of."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITING, False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})")


def _prepare_sqlite(engine: Engine) -> None:
    """Let SQLAlchemy begin the transactions: a writing one takes the write lock at once, so it never fails half-way."""

    @event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA cache_spill = OFF")  # a long transaction shuts readers out only while it commits
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
