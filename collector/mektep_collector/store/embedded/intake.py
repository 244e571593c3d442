"""Entries of the journal as pieces of the embedded store, in one transaction with the position that they reach."""

from collections.abc import Sequence
from typing import cast

import apsw
import msgspec

from mektep_collector.journal.entry import Entry
from mektep_collector.store.embedded.pieces import Content, cut, only, shares

_PIECE = (
    "INSERT INTO piece (day, kind, school, position, device, audit_count, reading_count, content) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_QUARANTINE = "INSERT INTO quarantine (school, position, device, reading_count, content) VALUES (?, ?, ?, ?, ?)"
_LATEST = """
INSERT INTO latest VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (school, kind) DO UPDATE SET at_us = excluded.at_us, position = excluded.position, item = excluded.item,
  device = excluded.device, content = excluded.content
WHERE (excluded.at_us, excluded.position, excluded.item) > (at_us, position, item)
"""

_Newest = tuple[tuple[int, int, int], int, Content, int]


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
        reading_count = quarantined_count = 0
        pieces: list[tuple[int, int, int, int, int, int, int, bytes]] = []
        quarantined: list[tuple[int, int, int, int, bytes]] = []
        newest: dict[tuple[int, int], _Newest] = {}
        for entry in entries:
            if entry.position <= position:
                continue
            position = entry.position
            for share in shares(entry.accepted):
                school = self._number("school", share.batch.school_id)
                device = self._number("device", share.batch.device_id)
                for piece in cut(share):
                    day, kind, content = piece
                    count = len(content.at_us)
                    reading_count += count
                    packed = self._encode(content)
                    if not kind:
                        quarantined_count += count
                        quarantined.append((school, position, device, count, packed))
                        continue
                    pieces.append((day, kind, school, position, device, piece.audit_count, count, packed))
                    at_us = max(content.at_us)
                    # of equal times the one that came last
                    place = count - 1 - content.at_us[::-1].index(at_us)
                    order = (at_us, position, content.items[place])
                    known = newest.get((school, kind))
                    if known is None or order > known[0]:
                        newest[school, kind] = (order, device, content, place)
        self._connection.executemany(_PIECE, pieces)
        self._connection.executemany(_QUARANTINE, quarantined)
        self._connection.executemany(
            _LATEST,
            [
                (school, kind, *order, device, self._encode(only(content, place)))
                for (school, kind), (order, device, content, place) in newest.items()
            ],
        )
        after = Progress(position, before.reading_count + reading_count, before.quarantined_count + quarantined_count)
        self._connection.execute(
            "UPDATE progress SET position = ?, reading_count = ?, quarantined_count = ?",
            (after.position, after.reading_count, after.quarantined_count),
        )
        return after

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
