"""Exactly once: which readings of a submission are new, and the rows that say so, within the writer's transaction.

A reading is itself by (device, epoch, seq). The same three with the same id are a duplicate: the reply was lost and the
agent asks again. With another id they are a second computer that began from a copy of the first one's disk; that one is
refused by name, since counting it would need a number that is already taken.
"""

from collections.abc import Sequence
from operator import attrgetter

import apsw
import msgspec

from mektep_collector.journal.correction import to_us
from mektep_collector.journal.entries import ReadingKey, keys_of, read_keys
from mektep_collector.journal.judgement import pack
from mektep_collector.journal.sequence import SeqRange, runs
from mektep_collector.journal.submission import Submission
from mektep_wire import MAX_BATCH_READINGS, Columns, Fate, FateOutcome

_MAX_KNOWN_STREAMS = 50_000
_STORED = tuple(Fate(index=index, outcome=FateOutcome.STORED) for index in range(MAX_BATCH_READINGS))
_DUPLICATE = tuple(Fate(index=index, outcome=FateOutcome.DUPLICATE) for index in range(MAX_BATCH_READINGS))
_LAST = 2**63 - 1
_RANGES_DOWN = (
    "SELECT first_seq, last_seq FROM received_range WHERE stream = ? AND first_seq <= ? ORDER BY first_seq DESC"
)
_EXTEND = "UPDATE received_range SET last_seq = ? WHERE stream = ? AND first_seq = ?"
_SPANS_DOWN = "SELECT last_seq, position FROM span WHERE stream = ? AND first_seq <= ? ORDER BY first_seq DESC"
_CLONED = (
    "the collector holds another reading of this device under the same epoch and seq: the disk was cloned, or the "
    "outbox restored from a copy; enrol this computer as a device of its own with a new outbox"
)


class Admitted(msgspec.Struct, frozen=True):
    """What became of a submission: its entry's position if it brought anything new, and the fate of every reading."""

    position: int | None
    fates: Sequence[Fate]
    stored_count: int
    duplicate_count: int
    rejected_count: int


class _Stream:
    """A device's epoch, and the last of its received ranges: an honest batch goes on from there, and asks nothing."""

    __slots__ = ("number", "tail")

    def __init__(self, number: int, tail: SeqRange | None) -> None:
        self.number = number
        self.tail = tail

    def is_ahead(self, piece: SeqRange) -> bool:
        """Tell whether nothing at or after the piece was ever received."""
        return self.tail is None or self.tail.last < piece.first


class Admission:
    """Admits submissions through one connection; belongs to the writing thread, which owns the transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._streams: dict[tuple[str, str], _Stream] = {}

    def forget(self) -> None:
        """Drop what is remembered of the file; due after every transaction that was rolled back."""
        self._streams.clear()

    def admit(self, submission: Submission) -> Admitted:
        """Write what is new of `submission`; raises apsw.Error, upon which the transaction is to be rolled back."""
        columns = submission.columns
        if columns is None:
            return Admitted(None, _in_order(list(submission.refused)), 0, 0, len(submission.refused))
        seqs = columns.seq
        new: list[int] = []
        fates: list[Fate] = list(submission.refused)
        pieces: list[tuple[_Stream, SeqRange]] = []
        for epoch, members in _by_epoch(columns):
            stream = self._stream(submission.device.id, epoch)
            numbers = [seqs[member] for member in members]
            distinct = numbers if _is_run(numbers) else sorted(set(numbers))
            wanted = runs(distinct)
            held = self._held(stream, wanted)
            if not held and len(distinct) == len(numbers):
                fresh, fresh_runs = members, wanted
            else:
                fresh, again = _split(seqs, members, held)
                keys = keys_of(columns)
                known = self._ids(stream.number, epoch, held)
                known.update((keys[member].seq, keys[member].id) for member in fresh)
                fates.extend(_fate_again(submission.indexes[member], keys[member], known) for member in again)
                fresh_runs = runs(sorted(seqs[member] for member in fresh))
            new.extend(fresh)
            pieces.extend((stream, piece) for piece in fresh_runs)
        duplicate_count = sum(fate.outcome is FateOutcome.DUPLICATE for fate in fates)
        rejected_count = len(fates) - duplicate_count
        if not new:
            return Admitted(None, _in_order(fates), 0, duplicate_count, rejected_count)
        new.sort()
        indexes = [submission.indexes[member] for member in new]
        position = self._write(submission, new, indexes)
        for stream, piece in pieces:
            self._mark(stream, piece, position)
        stored = [_STORED[index] for index in indexes]
        return Admitted(position, _in_order(fates + stored), len(new), duplicate_count, rejected_count)

    def _stream(self, device_id: str, epoch: str) -> _Stream:
        key = (device_id, epoch)
        stream = self._streams.get(key)
        if stream is None:
            row = self._connection.execute(
                "SELECT stream FROM stream WHERE device_id = ? AND epoch = ?", key
            ).fetchone()
            if row is None:
                self._connection.execute("INSERT INTO stream (device_id, epoch) VALUES (?, ?)", key)
                stream = _Stream(self._connection.last_insert_rowid(), None)
            else:
                stream = _Stream(int(row[0]), self._tail(int(row[0])))
            if len(self._streams) >= _MAX_KNOWN_STREAMS:
                self._streams.clear()
            self._streams[key] = stream
        return stream

    def _tail(self, stream: int) -> SeqRange | None:
        row = self._connection.execute(f"{_RANGES_DOWN} LIMIT 1", (stream, _LAST)).fetchone()
        return None if row is None else SeqRange(*row)

    def _held(self, stream: _Stream, wanted: Sequence[SeqRange]) -> set[int]:
        """Return those of the wanted numbers that were received before."""
        held: set[int] = set()
        for piece in wanted:
            if stream.is_ahead(piece):
                continue
            for low, high in self._connection.execute(_RANGES_DOWN, (stream.number, piece.last)):
                if high < piece.first:
                    break
                held.update(range(max(low, piece.first), min(high, piece.last) + 1))
        return held

    def _ids(self, stream: int, epoch: str, numbers: set[int]) -> dict[int, str]:
        """Return the stored id of each number, as far as its entry is still there."""
        positions: set[int] = set()
        for piece in runs(sorted(numbers)):
            for high, position in self._connection.execute(_SPANS_DOWN, (stream, piece.last)):
                if high < piece.first:
                    break
                positions.add(position)
        return {
            key.seq: key.id
            for position in positions
            for key in read_keys(self._connection, position)
            if key.epoch == epoch and key.seq in numbers
        }

    def _write(self, submission: Submission, new: Sequence[int], indexes: Sequence[int]) -> int:
        times_us = [submission.times_us[member] for member in new]
        methods = [submission.methods[member] for member in new]
        self._connection.execute(
            "INSERT INTO entry (batch_id, device_id, school_id, received_us, signature, judgements, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                submission.batch_id,
                submission.device.id,
                submission.device.school_id,
                to_us(submission.received_at),
                submission.signature,
                pack(indexes, times_us, methods),
                submission.body,
            ),
        )
        return self._connection.last_insert_rowid()

    def _mark(self, stream: _Stream, piece: SeqRange, position: int) -> None:
        """Note a run of new numbers, joined with the received ranges that it touches."""
        self._connection.execute("INSERT INTO span VALUES (?, ?, ?, ?)", (stream.number, *piece, position))
        if not stream.is_ahead(piece):
            self._join(stream.number, piece)
            stream.tail = self._tail(stream.number)
        elif stream.tail is not None and stream.tail.last == piece.first - 1:
            self._connection.execute(_EXTEND, (piece.last, stream.number, stream.tail.first))
            stream.tail = SeqRange(stream.tail.first, piece.last)
        else:
            self._connection.execute("INSERT INTO received_range VALUES (?, ?, ?)", (stream.number, *piece))
            stream.tail = piece

    def _join(self, stream: int, piece: SeqRange) -> None:
        """Note numbers that lie before others."""
        execute = self._connection.execute
        after = execute(
            "SELECT last_seq FROM received_range WHERE stream = ? AND first_seq = ?", (stream, piece.last + 1)
        ).fetchone()
        last = piece.last
        if after is not None:
            last = after[0]
            execute("DELETE FROM received_range WHERE stream = ? AND first_seq = ?", (stream, piece.last + 1))
        before = execute(f"{_RANGES_DOWN} LIMIT 1", (stream, piece.first - 1)).fetchone()
        if before is not None and before[1] == piece.first - 1:
            execute(_EXTEND, (last, stream, before[0]))
        else:
            execute("INSERT INTO received_range VALUES (?, ?, ?)", (stream, piece.first, last))


def _by_epoch(columns: Columns) -> list[tuple[str, Sequence[int]]]:
    """Return the epochs with the places of their readings, in the order of the batch."""
    table, places = columns.epoch.table, columns.epoch.at
    if places is None:
        return [(table[0], range(len(columns.seq)))]
    members: dict[str, list[int]] = {}
    for member, place in enumerate(places):
        members.setdefault(table[place], []).append(member)
    return list(members.items())


def _is_run(numbers: list[int]) -> bool:
    """Tell whether each number is the one before and one more, as an honest batch's mostly are."""
    return numbers[-1] - numbers[0] == len(numbers) - 1 and numbers == list(range(numbers[0], numbers[-1] + 1))


def _split(seqs: Sequence[int], members: Sequence[int], held: set[int]) -> tuple[list[int], list[int]]:
    """Return the members whose number is free, each number's first one, and the others."""
    fresh: list[int] = []
    again: list[int] = []
    seen = set(held)
    for member in members:
        seq = seqs[member]
        if seq in seen:
            again.append(member)
        else:
            seen.add(seq)
            fresh.append(member)
    return fresh, again


def _in_order(fates: list[Fate]) -> list[Fate]:
    return sorted(fates, key=attrgetter("index"))


def _fate_again(index: int, reading: ReadingKey, known: dict[int, str]) -> Fate:
    if known.get(reading.seq, reading.id) == reading.id:
        return _DUPLICATE[index]
    return Fate(index=index, outcome=FateOutcome.REJECTED, field=f"$.readings[{index}].seq", reason=_CLONED)
