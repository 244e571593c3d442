"""How far the journal is taken in, kept in InfluxDB beside the points: a database set back goes on from there."""

from collections.abc import Iterable

import msgspec
from influxdb_client.client.write.point import Point

from mektep_collector.store.influx.server import Rows
from mektep_collector.store.influx.text import named

_MEASUREMENT = "taken_in"
_POSITION, _READINGS, _QUARANTINED = "position", "readings", "quarantined"
QUESTION = f"SELECT {named(_POSITION)}, {named(_READINGS)}, {named(_QUARANTINED)} FROM {named(_MEASUREMENT)}"


class Progress(msgspec.Struct, frozen=True):
    """The last entry that is in, and what all entries up to it held, refused points too."""

    position: int = 0
    readings_count: int = 0
    quarantined_count: int = 0


def progress_point(progress: Progress) -> str:
    """Return the one point of it, which each write replaces."""
    line: str = (
        Point(_MEASUREMENT)
        .field(_POSITION, progress.position)
        .field(_READINGS, progress.readings_count)
        .field(_QUARANTINED, progress.quarantined_count)
        .time(0)
        .to_line_protocol()
    )
    return line


def progress_of(answer: Iterable[Rows]) -> Progress:
    """Return what the database says of it."""
    found = Progress()
    for rows in answer:
        for values in rows.values:
            row = dict(zip(rows.columns, values, strict=True))
            found = Progress(row[_POSITION], row[_READINGS], row[_QUARANTINED])
    return found
