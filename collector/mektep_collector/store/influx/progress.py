"""How far the journal is taken in, kept in InfluxDB beside the points: a database set back goes on from there."""

from collections.abc import Iterable

import msgspec
from influxdb_client.client.write.point import Point

from mektep_collector.store.influx.server import Rows
from mektep_collector.store.influx.text import named, quoted

_MEASUREMENT = "taken_in"
_POSITION, _READINGS, _QUARANTINED = "position", "readings", "quarantined"
_COLLECTOR = "collector"


class Progress(msgspec.Struct, frozen=True):
    """The last entry that is in, and what all entries up to it held, refused points too."""

    position: int = 0
    readings_count: int = 0
    quarantined_count: int = 0


def progress_question(collector_id: str) -> str:
    """Ask how far a collector's journal is taken in; an empty name is that of a collector that shares nothing."""
    fields = f"{named(_POSITION)}, {named(_READINGS)}, {named(_QUARANTINED)}"
    return f"SELECT {fields} FROM {named(_MEASUREMENT)} WHERE {named(_COLLECTOR)} = {quoted(collector_id)}"


def progress_point(progress: Progress, collector_id: str) -> str:
    """Return a collector's one point of it, which each write replaces."""
    line: str = (
        Point(_MEASUREMENT)
        .tag(_COLLECTOR, collector_id)
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
