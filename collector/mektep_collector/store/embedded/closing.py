"""A day is closed: what recent pieces and the day's older file hold of it becomes one new file.

It runs in a process of its own (`python -m mektep_collector.store.embedded.closing FOLDER DAY THROUGH KEPT`): its
memory goes back when it ends and its work takes no time from acceptance. It reads and writes files, and changes nothing
that is in force: whoever started it puts the file in force (`manifest.py`), or its unfinished work is cleared away.

Schools are taken in the order of their ids, some thousand readings at a time: memory does not grow with the day.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import apsw
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mektep_collector.durable import settle, sha256_of
from mektep_collector.journal.connection import open_reader
from mektep_collector.store.embedded.day_file import GROUP_ROWS, ORDER, SCHEMA, DayWriter, Mark, Rows, open_day
from mektep_collector.store.embedded.day_file import VERSION as FILE_VERSION
from mektep_collector.store.embedded.manifest import DayFile, Kept, number_of, read_manifest
from mektep_collector.store.embedded.pieces import Content
from mektep_collector.store.embedded.schema import KINDS
from mektep_collector.store.embedded.schools_file import SchoolsWriter, schools_path
from mektep_collector.store.error import StoreError

RECENT: Final = "recent.sqlite"
DAYS: Final = "days"
_SUFFIXES: Final = MappingProxyType({Kept.READINGS: "", Kept.RUNS: ".runs"})
_DEADLINE_S: Final = 3_600
_NICENESS: Final = 10
_DECODER: Final = msgspec.json.Decoder(Content)
_SCHOOLS = "SELECT school_id, school FROM school ORDER BY school_id"
_PIECES = """
SELECT position, device_id, content FROM piece JOIN device USING (device)
WHERE day = ? AND kind = ? AND school = ? AND position > ? AND position <= ? ORDER BY position
"""
_PieceRow = tuple[int, str, bytes]
_Of = tuple[str, Any]


def close_day(directory: Path, day: date, through_position: int, kept: Kept) -> DayFile:
    """Write the file of a day with all that entries up to `through_position` brought of it, and return what it is.

    A day that was kept in short stays so, whatever is asked for. Raises apsw.Error, OSError and StoreError; nothing in
    force has changed then.
    """
    folder = directory / DAYS
    before = read_manifest(folder).file_of(day)
    known = before.through_position if before is not None else 0
    if before is not None and before.kept is Kept.RUNS:
        kept = Kept.RUNS
    name = f"{day.isoformat()}.{through_position:012d}{_SUFFIXES[kept]}.parquet"
    unfinished = folder / f"{name}.unfinished"
    writer = DayWriter(unfinished, Mark(version=FILE_VERSION, day=day, through_position=through_position), kept)
    reading_count = 0
    connection = open_reader(directory / RECENT)
    schools = SchoolsWriter(schools_path(folder, name)) if kept is Kept.READINGS else None
    try:
        new = _new(connection, day, known, through_position)
        old = _old(folder / before.name) if before is not None else iter(())
        for table in _merged(new, old):
            writer.write(table)
            if schools is not None:
                schools.write(table)
            reading_count += table.num_rows
    finally:
        if schools is not None:
            schools.close()
        writer.close()
        connection.close()
    settle(unfinished, folder / name)
    return DayFile(
        day=day,
        name=name,
        sha256=sha256_of(folder / name),
        size_bytes=(folder / name).stat().st_size,
        reading_count=reading_count,
        through_position=through_position,
        closed_at=datetime.now(UTC),
        kept=kept,
    )


class ClosingProcess:
    """Closes days in a process of its own, one at a time. Whoever made it calls `stop` before the store is closed."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def __call__(self, directory: Path, day: date, through_position: int, kept: Kept) -> DayFile:
        """Do what `close_day` does. Raises StoreError with the reason; nothing in force has changed then."""
        asked = [str(directory), day.isoformat(), str(through_position), kept.value]
        command = [sys.executable, "-P", "-m", __spec__.name, *asked]
        with self._guard:
            if self._stopped:
                raise StoreError(f"the day {day} was not closed: the collector ends; its readings stay where they were")
            process = self._running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603 (our own)
        with process:
            try:
                told, said = process.communicate(timeout=_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise StoreError(
                    f"the day {day} was not closed within {_DEADLINE_S} s; its readings stay where they were"
                ) from None
        if process.returncode:
            reasons = said.decode(errors="replace").strip().splitlines()[-1:] or [f"it ended with {process.returncode}"]
            raise StoreError(f"the day {day} cannot be closed: {reasons[0]}; its readings stay where they were")
        return msgspec.json.decode(told, type=DayFile)

    def stop(self) -> None:
        """End the process that is at work, if any; what it has written is cleared away at the next start."""
        with self._guard:
            self._stopped = True
            if self._running is not None and self._running.poll() is None:
                self._running.kill()


def _merged(new: Iterator[_Of], old: Iterator[_Of]) -> Iterator[Any]:
    """Return sorted tables, each of whole schools and of about a row group."""
    rows = Rows()
    tables: list[Any] = []
    old_count = 0
    for _, members in groupby(merge(new, old, key=itemgetter(0)), key=itemgetter(0)):
        for school_id, found in members:
            if isinstance(found, list):
                for position, device_id, content in found:
                    rows.add(_DECODER.decode(content), position, school_id, device_id)
            else:
                tables.append(found)
                old_count += found.num_rows
        if len(rows) + old_count >= GROUP_ROWS:
            yield _sorted(rows, tables)
            tables, old_count = [], 0
    if len(rows) + old_count:
        yield _sorted(rows, tables)


def _sorted(rows: Rows, tables: list[Any]) -> Any:  # noqa: ANN401 (pyarrow has no types)
    if not tables:
        return rows.table()
    if len(rows):
        tables = [*tables, rows.table()]
        return pa.concat_tables(tables).sort_by(list(ORDER))
    return pa.concat_tables(tables)


def _new(connection: apsw.Connection, day: date, after: int, through: int) -> Iterator[_Of]:
    number = number_of(day)
    for school_id, school in cast(list[tuple[str, int]], connection.execute(_SCHOOLS).fetchall()):
        found: list[_PieceRow] = []
        for kind in KINDS.values():
            found += cast(
                list[_PieceRow], connection.execute(_PIECES, (number, kind, school, after, through)).fetchall()
            )
        if found:
            yield school_id, found


def _old(path: Path) -> Iterator[_Of]:
    """Return each school's rows of an older file; a school may come twice in a row."""
    file = open_day(path)
    for group in range(file.metadata.num_row_groups):
        table = _as_now(file.read_row_group(group))
        ends = pc.run_end_encode(table.column("school_id").combine_chunks())
        first = 0
        for school_id, end in zip(ends.values.to_pylist(), ends.run_ends.to_pylist(), strict=True):
            yield school_id, table.slice(first, end - first)
            first = end


def _as_now(table: Any) -> Any:  # noqa: ANN401 (pyarrow has no types)
    """Return a table that an older version wrote in the columns of this one. Raises StoreError where one is foreign."""
    foreign = [name for name in table.schema.names if name not in SCHEMA.names]
    if foreign:
        raise StoreError(f"a closed day has columns that this collector does not know: {', '.join(foreign)}")
    arrays = [
        table.column(field.name).cast(field.type)
        if field.name in table.schema.names
        else pa.nulls(table.num_rows, field.type)
        for field in SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def main() -> None:
    """Close the day that the arguments name; the file's line for the manifest goes to stdout."""
    directory, day, through_position, kept = sys.argv[1:]
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    closed = close_day(Path(directory), date.fromisoformat(day), int(through_position), Kept(kept))
    sys.stdout.write(msgspec.json.encode(closed).decode())


if __name__ == "__main__":
    main()
