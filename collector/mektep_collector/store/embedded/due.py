"""Which days are due to be closed, or closed again."""

from datetime import UTC, date, datetime, timedelta
from typing import Final, cast

import apsw

from mektep_collector.store.embedded.manifest import DayFile, Manifest, date_of

OPEN_FOR: Final = timedelta(hours=3)
"""How long after its end a day stays open: agents send every quarter of an hour, and some are late."""
LATE_FOR: Final = timedelta(hours=20)
"""How long late readings of a closed day wait until it is closed again, unless they are many."""
MANY_PIECES: Final = 20_000
_DAYS = "SELECT DISTINCT day FROM piece ORDER BY day"
_WAITING = "SELECT count(*) FROM piece WHERE day = ? AND position > ?"


def due_days(connection: apsw.Connection, manifest: Manifest, now: datetime) -> list[date]:
    """Return the days that are due at the aware time `now`, oldest first. Raises apsw.Error."""
    through = manifest.through()
    due = []
    for (number,) in cast(list[tuple[int]], connection.execute(_DAYS).fetchall()):
        day = date_of(number)
        ended_at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        waiting = cast(int, connection.execute(_WAITING, (number, through.get(number, 0))).get)
        if waiting and now - ended_at >= OPEN_FOR and _is_ripe(manifest.file_of(day), waiting, now):
            due.append(day)
    return due


def _is_ripe(file: DayFile | None, waiting: int, now: datetime) -> bool:
    return file is None or waiting >= MANY_PIECES or now - file.closed_at >= LATE_FOR
