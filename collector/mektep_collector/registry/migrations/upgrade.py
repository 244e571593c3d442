"""Brings a registry's schema up to date, on a connection and within a transaction that the caller holds."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def migration_config() -> Config:
    """Return alembic's settings: where the migrations lie, and nothing else."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def upgrade(connection: Connection) -> None:
    """Take every step that this database has not taken yet; none when another process has just taken them."""
    config = migration_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
