"""Each promise of the registry is held on both of its databases."""

from pathlib import Path

import pytest

from tests.support.peers.postgresql import RunningPostgresql
from tests.support.school_table import Place


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return where a registry lies: in a folder, or the folder's key with a database in PostgreSQL."""
    if request.param == "sqlite":
        return Place(tmp_path)
    server: RunningPostgresql = request.getfixturevalue("postgresql")
    return Place(tmp_path, server.database())
