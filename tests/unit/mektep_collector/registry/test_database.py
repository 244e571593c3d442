from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, insert, inspect, make_url, select, text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.schema import CreateTable

from mektep_collector.registry.database import Database
from mektep_collector.registry.error import RegistryAway
from mektep_collector.registry.migrations.upgrade import migration_config
from mektep_collector.registry.tables import DEVICES, METADATA, REVISION, SCHOOLS, TOKENS
from tests.support.peers.postgresql import RunningPostgresql


def opened(folder: Path) -> Database:
    return Database(URL.create("sqlite", database=str(folder / "registry.sqlite")))


def test_the_migrations_make_what_the_code_sees(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        names = {index["name"] for table in METADATA.tables for index in inspect(connection).get_indexes(table)}
    assert names == {index.name for table in METADATA.tables.values() for index in table.indexes}
    database.close()


def test_the_code_knows_its_last_migration() -> None:
    assert ScriptDirectory.from_config(migration_config()).get_heads() == [REVISION]


def test_migrating_again_is_nothing_and_all_can_be_undone(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    database.migrate()
    with database.writing() as connection:
        config = migration_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    with database.reading() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    database.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    with pytest.raises(IntegrityError), database.writing() as connection:
        connection.execute(insert(SCHOOLS), [_school(), _school(school_id="2"), _school()])
    with database.reading() as connection:
        assert connection.execute(select(SCHOOLS)).all() == []
    database.close()


def test_times_come_back_in_utc_and_none_goes_in_without_a_zone(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    at = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=5)))
    with database.writing() as connection:
        connection.execute(insert(SCHOOLS).values(**_school(at)))
    with database.reading() as connection:
        found = connection.execute(select(SCHOOLS.c.added_at)).scalar_one()
    assert (found, found.tzinfo) == (at, UTC)
    naive = at.replace(tzinfo=None)
    with pytest.raises(StatementError, match="has no zone"), database.writing() as connection:
        connection.execute(insert(SCHOOLS).values(**_school(naive, "other")))
    database.close()


@pytest.mark.peer
def test_what_is_read_in_one_transaction_is_of_one_moment(postgresql: RunningPostgresql) -> None:
    database = Database(make_url(postgresql.database()))
    database.migrate()
    with database.reading() as connection:
        assert connection.execute(select(SCHOOLS)).all() == []
        with database.writing() as other:
            other.execute(insert(SCHOOLS).values(**_school()))
        assert connection.execute(select(SCHOOLS)).all() == []
    with database.reading() as connection:
        assert len(connection.execute(select(SCHOOLS)).all()) == 1
    database.close()


def test_rows_that_point_nowhere_are_refused(tmp_path: Path) -> None:
    database = opened(tmp_path)
    database.migrate()
    with database.reading() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    database.close()


def test_the_tables_can_be_written_for_postgresql() -> None:
    for table in METADATA.sorted_tables:
        statement = str(CreateTable(table).compile(dialect=make_url("postgresql://").get_dialect()()))
        assert "TIMESTAMP WITH TIME ZONE" in statement, table.name


def _school(at: datetime = datetime(2026, 1, 1, tzinfo=UTC), school_id: str = "1") -> dict[str, object]:
    return {
        "id": school_id, "name": "x", "region": "KZ-61", "district": "", "time_zone": "Asia/Almaty",
        "technology": "fibre", "added_at": at, "changed_at": at,
    }  # fmt: skip


def test_a_database_that_cannot_be_opened_is_away(tmp_path: Path) -> None:
    database = Database(URL.create("sqlite", database=str(tmp_path)))
    with pytest.raises(RegistryAway, match="cannot be used at the moment: unable to open"), database.reading():
        pass
    with pytest.raises(RegistryAway), database.writing():
        pass
    database.close()


def test_tokens_of_before_there_were_renewals_count_as_used(tmp_path: Path) -> None:
    """Else each of them would seem to be used for the first time at once, and end the ones before."""
    database = opened(tmp_path)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    device = {
        "id": "d", "school_id": "1", "public_key": bytes(32), "status": "active", "enrolled_at": at,
        "agent_version": "0.1.0", "platform": "linux",
    }  # fmt: skip
    with database.writing() as connection:
        config = migration_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        connection.execute(insert(SCHOOLS).values(**_school()))
        connection.execute(insert(DEVICES).values(**device))
        connection.execute(insert(TOKENS).values(id="t", secret_hash=bytes(32), device_id="d", made_at=at))
    database.migrate()
    with database.reading() as connection:
        assert connection.execute(select(TOKENS.c.used_at)).scalar_one() == at
    database.close()
