"""The outbox itself. Every method is one transaction, and what it did is on disk when it returns."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.outbox.ballast import Ballast
from mektep_agent.outbox.file import OutboxFile
from mektep_agent.outbox.parcel import Census, OutboxError, OutboxFullError, Parcel, Queued, Rejection, SetAside
from mektep_agent.outbox.schema import PAGE_BYTES, take_census
from mektep_agent.outbox.sqlite_fault import DamageError, Fault, fault_of
from mektep_agent.outbox.worth import worth_of
from mektep_wire import Reading, encode

T = TypeVar("T")
MAX_DEAD_COUNT = 1_000
MAX_MARKS_COUNT = 4_000
_LEAST_THINNED_COUNT = 16
_THINNED_SHARE = 20


class Outbox:
    """One outbox file, for one process and one thread at a time. Whoever makes it closes it.

    Raises OutboxError where the file cannot be opened or written. A damaged file is set aside, never deleted, and a
    new one begun under a new epoch; `set_aside` then says so.
    """

    def __init__(
        self, folder: StateFolder, time: TimeSource, random: Random, *, max_bytes: int, ballast_bytes: int
    ) -> None:
        self._time = time
        self._max_bytes = max_bytes
        self._ballast_bytes = ballast_bytes
        folder.make()
        self._ballast = Ballast(folder.path / "outbox.ballast", ballast_bytes)
        self._file = OutboxFile(folder, time, random, self._ballast, max_bytes)
        self._connection = self._file.open()
        self._hold_ballast()

    def close(self) -> None:
        """Give the file free."""
        self._connection.close()

    @property
    def set_aside(self) -> tuple[SetAside, ...]:
        """The damaged files that were put away since this outbox was made."""
        return self._file.set_aside

    @property
    def epoch(self) -> str:
        """Birth id of the file in use."""
        return str(self._meta("epoch"))

    def put(
        self, readings: Sequence[Reading], marks: Sequence[str] = (), notes: Mapping[str, bytes] | None = None
    ) -> tuple[Reading, ...]:
        """Number and keep `readings`, with the schedule's marks that they fulfil, and return them as numbered.

        `notes` are kept with them, all or nothing.

        Where there is no room, readings of little worth go first, and are counted. Raises OutboxFullError where even
        that did not help.
        """
        return self._with_room(lambda: self._insert(readings, marks, notes or {}))

    def parcel(self, max_readings: int, max_bytes: int, after_seq: int = 0) -> Parcel:
        """Return the oldest readings beyond `after_seq`: at least one if any waits, however large."""

        def select() -> Parcel:
            queued: list[Queued] = []
            total_bytes = 0
            rows = self._connection.execute(
                "SELECT seq, payload FROM reading WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, max_readings)
            )
            for seq, payload in rows:
                total_bytes += len(payload) + 1
                if queued and total_bytes > max_bytes:
                    break
                queued.append(Queued(seq, payload))
            rows.close()
            return Parcel(self.epoch, queued)

        return self._with_room(select)

    def settle(
        self,
        epoch: str,
        accepted: Sequence[int],
        rejected: Sequence[Rejection],
        notes: Mapping[str, bytes] | None = None,
    ) -> None:
        """Forget what the collector has, move what it will never take to the dead letters, and keep `notes`.

        Seqs of another epoch are let be: their file was set aside since.
        """

        def apply() -> None:
            if epoch == self.epoch:
                self._connection.executemany("DELETE FROM reading WHERE seq = ?", [(seq,) for seq in accepted])
                self._bury(rejected)
            self._write_notes(notes or {})

        self._with_room(lambda: self._transaction(apply))
        self._hold_ballast()

    def marks(self) -> frozenset[str]:
        """Return the schedule's marks that are remembered."""
        return self._with_room(lambda: frozenset(row[0] for row in self._connection.execute("SELECT name FROM mark")))

    def unmark(self, names: Sequence[str]) -> None:
        """Forget marks that were set by a clock that was wrong."""

        def delete() -> None:
            self._connection.executemany("DELETE FROM mark WHERE name = ?", [(name,) for name in names])

        self._with_room(lambda: self._transaction(delete))

    def note(self, name: str) -> bytes | None:
        """Return what was noted under `name`, or None."""

        def read() -> bytes | None:
            row = self._connection.execute("SELECT content FROM note WHERE name = ?", (name,)).fetchone()
            return None if row is None else bytes(row[0])

        return self._with_room(read)

    def keep_note(self, name: str, content: bytes) -> None:
        """Note `content` under `name`."""
        self._with_room(lambda: self._transaction(lambda: self._write_notes({name: content})))

    def census(self) -> Census:
        """Return how the outbox stands."""
        return self._with_room(lambda: take_census(self._connection))

    def _insert(
        self, readings: Sequence[Reading], marks: Sequence[str], notes: Mapping[str, bytes]
    ) -> tuple[Reading, ...]:
        numbered: list[Reading] = []

        def insert() -> None:
            numbered.clear()
            epoch, last_seq = self.epoch, int(str(self._meta("last_seq")))
            for seq, reading in enumerate(readings, last_seq + 1):
                numbered.append(msgspec.structs.replace(reading, epoch=epoch, seq=seq))
            self._connection.executemany(
                "INSERT INTO reading VALUES (?, ?, ?)",
                [(reading.seq, int(worth_of(reading)), encode(reading)) for reading in numbered],
            )
            self._connection.execute("UPDATE meta SET value = ? WHERE name = 'last_seq'", (last_seq + len(numbered),))
            self._connection.executemany("INSERT OR IGNORE INTO mark (name) VALUES (?)", [(mark,) for mark in marks])
            self._connection.execute(
                "DELETE FROM mark WHERE number <= (SELECT max(number) FROM mark) - ?", (MAX_MARKS_COUNT,)
            )
            self._write_notes(notes)

        self._transaction(insert)
        return tuple(numbered)

    def _bury(self, rejected: Sequence[Rejection]) -> None:
        at = self._time.now().isoformat()
        for one in rejected:
            self._connection.execute(
                "INSERT INTO dead (seq, at, field, reason, payload) "
                "SELECT seq, ?, ?, ?, payload FROM reading WHERE seq = ?",
                (at, one.field, one.reason, one.seq),
            )
            self._connection.execute("DELETE FROM reading WHERE seq = ?", (one.seq,))
        self._connection.execute(
            "DELETE FROM dead WHERE number <= (SELECT max(number) FROM dead) - ?", (MAX_DEAD_COUNT,)
        )

    def _write_notes(self, notes: Mapping[str, bytes]) -> None:
        self._connection.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", list(notes.items()))

    def _meta(self, name: str) -> object:
        row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise DamageError(f"`{name}` is missing from the outbox")
        return row[0]

    def _transaction(self, work: Callable[[], None]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            work()
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _with_room(self, work: Callable[[], T]) -> T:
        """Do `work`; on a full disk or cap make room and do it again, on a damaged file begin anew and do it again."""
        begun_anew = False
        while True:
            try:
                return work()
            except sqlite3.ProgrammingError:  # a bug of ours, which no new file mends
                raise
            except sqlite3.Error as error:
                fault = fault_of(error)
                if fault is Fault.DAMAGED and not begun_anew:
                    begun_anew = True
                    self._begin_anew(str(error))
                elif fault is not Fault.FULL:
                    raise OutboxError(f"the outbox {self._file.path} cannot be used: {error}") from error
                elif not self._make_room():
                    raise OutboxFullError(
                        f"no room for the outbox {self._file.path}: free some of the disk, or raise outbox_max_bytes"
                    ) from error

    def _make_room(self) -> bool:
        """Give up the ballast, else drop the oldest readings of least worth; say whether that made any room."""
        page_count, max_page_count = self._pages("page_count"), self._pages("max_page_count")
        if page_count < max_page_count and self._ballast.give_up():
            # Of the space that is free now the file may take a quarter; the rest is for the journals of its deletes.
            self._pages(f"max_page_count={page_count + self._ballast_bytes // PAGE_BYTES // 4}")
            return True
        try:
            return self._thin()
        except sqlite3.OperationalError as error:
            if fault_of(error) is Fault.FULL:
                return False
            raise

    def _hold_ballast(self) -> None:
        """Take the ballast back once the disk has room, and give the file its whole cap again."""
        if self._ballast.hold():
            self._pages(f"max_page_count={max(self._max_bytes // PAGE_BYTES, 1)}")

    def _pages(self, pragma: str) -> int:
        return int(self._connection.execute(f"PRAGMA {pragma}").fetchone()[0])

    def _thin(self) -> bool:
        row = self._connection.execute("SELECT min(worth), count(*) FROM reading").fetchone()
        if row[1] == 0:
            return False
        count = max(_LEAST_THINNED_COUNT, row[1] // _THINNED_SHARE)

        def drop() -> None:
            dropped = self._connection.execute(
                "DELETE FROM reading WHERE seq IN (SELECT seq FROM reading WHERE worth = ? ORDER BY seq LIMIT ?)",
                (row[0], count),
            ).rowcount
            self._connection.execute("UPDATE meta SET value = value + ? WHERE name = 'dropped_count'", (dropped,))

        self._transaction(drop)
        return True

    def _begin_anew(self, reason: str) -> None:
        self._connection.close()
        self._connection = self._file.open_anew(reason)
