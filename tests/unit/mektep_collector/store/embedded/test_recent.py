"""Questions to the tables of recent readings cost what they ask for, not what else the tables hold."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import apsw

from mektep_collector.journal.connection import Durability, open_writer
from mektep_collector.store.embedded import recent
from mektep_collector.store.embedded.intake import Intake
from mektep_collector.store.embedded.schema import prepare
from tests.support.country_days import entries, schools


def steps_count(connection: apsw.Connection, ask: Callable[[apsw.Connection], object]) -> int:
    """Return how many instructions SQLite takes to answer."""
    count = 0

    def step() -> bool:
        nonlocal count
        count += 1
        return False

    connection.set_progress_handler(step, 1)
    ask(connection)
    connection.set_progress_handler(None)
    return count


def test_one_schools_newest_readings_cost_the_same_among_many_schools(tmp_path: Path) -> None:
    def steps(schools_count: int) -> int:
        path = tmp_path / f"{schools_count}.sqlite"
        connection = open_writer(path, Durability.EVERY_CHECKPOINT)
        try:
            prepare(connection, path)
            country = schools(schools_count, seed=1)
            Intake(connection).take(list(entries(country, date(2026, 1, 5), 0, seed=1)))
            return steps_count(connection, lambda asked: recent.latest(asked, [country[0].id]))
        finally:
            connection.close()

    assert steps(200) <= 1.1 * steps(2)
