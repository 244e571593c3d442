"""Entries of the journal as rows of the embedded store, in one transaction with the position that they reach."""

from collections.abc import Iterable, Sequence
from typing import cast

import apsw
import msgspec

from mektep_collector.journal.correction import to_us
from mektep_collector.journal.entry import Entry, TimeMethod
from mektep_collector.store.embedded.schema import ITEMS_BITS, KINDS
from mektep_wire import Reading

_Run = tuple[int, int, int, int, int, str, str, str, str | None, bytes]
_PAYLOAD = "INSERT INTO payload VALUES (?, ?, ?, ?, ?, ?)"
_RUN = "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LATEST = """
INSERT INTO latest VALUES (?, ?, ?, ?)
ON CONFLICT (school, kind) DO UPDATE SET at_us = excluded.at_us, payload = excluded.payload
WHERE (excluded.at_us, excluded.payload) > (at_us, payload)
"""


class Progress(msgspec.Struct, frozen=True):
    """How far the store has come: the journal's position, and how many readings it holds."""

    position: int
    reading_count: int
    quarantined_count: int


class Intake:
    """Takes entries in through one connection; belongs to whoever holds the writing lock."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._numbers: dict[tuple[str, str], int] = {}
        self._encode = msgspec.json.Encoder().encode
        self._pack = msgspec.msgpack.Encoder().encode

    def progress(self) -> Progress:
        """Return what is committed. Raises apsw.Error."""
        row = self._connection.execute("SELECT position, reading_count, quarantined_count FROM progress").fetchone()
        return Progress(*cast(tuple[int, int, int], row))

    def take(self, entries: Sequence[Entry]) -> Progress:
        """Write the entries beyond the committed position, all or none of them. Raises apsw.Error."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            progress = self._write(entries)
            self._connection.execute("COMMIT")
        except BaseException:
            self._numbers.clear()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return progress

    def _write(self, entries: Sequence[Entry]) -> Progress:
        before = self.progress()
        position = before.position
        quarantined_count = 0
        payloads: list[tuple[int, int, int, int, str, bytes]] = []
        runs: list[_Run] = []
        for entry in entries:
            if entry.position <= position:
                continue
            position = entry.position
            for item, accepted in enumerate(entry.accepted):
                reading = accepted.reading
                payload = entry.position << ITEMS_BITS | item
                school = self._number("school", accepted.school_id)
                device = self._number("device", accepted.device_id)
                at_us = to_us(accepted.at)
                payloads.append((payload, school, device, at_us, accepted.time_method, self._encode(reading)))
                if accepted.time_method is TimeMethod.QUARANTINED:
                    quarantined_count += 1
                else:
                    runs.append(self._run(reading, school, at_us, payload, device))
        self._connection.executemany(_PAYLOAD, payloads)
        # Neighbours of the clustered table go in together: one way down the tree finds the next row's page in memory.
        runs.sort(key=_clustered)
        self._connection.executemany(_RUN, runs)
        self._connection.executemany(_LATEST, _newest(runs))
        after = Progress(position, before.reading_count + len(payloads), before.quarantined_count + quarantined_count)
        self._connection.execute(
            "UPDATE progress SET position = ?, reading_count = ?, quarantined_count = ?",
            (after.position, after.reading_count, after.quarantined_count),
        )
        return after

    def _run(self, reading: Reading, school: int, at_us: int, payload: int, device: int) -> _Run:
        cause: str | None = None
        if reading.failure is not None:
            cause = reading.failure.kind
        elif reading.skip is not None:
            cause = reading.skip
        return (
            school,
            KINDS[reading.probe, reading.direction],
            at_us,
            payload,
            device,
            reading.engine,
            reading.outcome,
            reading.origin,
            cause,
            self._pack(reading.values),
        )

    def _number(self, table: str, name: str) -> int:
        """Return the number that stands for a school's or a device's id within this file."""
        number = self._numbers.get((table, name))
        if number is None:
            execute = self._connection.execute
            row = execute(f"SELECT {table} FROM {table} WHERE {table}_id = ?", (name,)).fetchone()  # noqa: S608 (two names of our own)
            if row is None:
                execute(f"INSERT INTO {table} ({table}_id) VALUES (?)", (name,))  # noqa: S608 (two names of our own)
                number = self._connection.last_insert_rowid()
            else:
                number = cast(int, row[0])
            self._numbers[table, name] = number
        return number


def _clustered(run: _Run) -> tuple[int, int, int, int]:
    return run[:4]


def _newest(
    runs: Iterable[_Run],
) -> list[tuple[int, int, int, int]]:
    """Return the last run of each school and kind of runs that are sorted as the table is."""
    newest = {run[:2]: run[:4] for run in runs}
    return list(newest.values())
