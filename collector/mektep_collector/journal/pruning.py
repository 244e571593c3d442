"""Old entries go, oldest first; what was received stays known, so that none of it is ever counted again."""

from typing import Final, NamedTuple, cast

import apsw

from mektep_collector.journal.entries import read_keys
from mektep_collector.journal.sequence import runs

_OLD: Final = """
SELECT position, device_id FROM entry
WHERE position <= ? AND received_us < ? AND position < (SELECT max(position) FROM entry)
ORDER BY position LIMIT ?
"""
_FIRST: Final = "SELECT min(position) FROM entry"
_DELETE_SPAN: Final = """
DELETE FROM span WHERE first_seq = ? AND position = ?
AND stream = (SELECT stream FROM stream WHERE device_id = ? AND epoch = ?)
"""
_DELETE: Final = "DELETE FROM entry WHERE position <= ?"


class Spent(NamedTuple):
    """Entries from the journal's first up to `last_position`, and where their numbers were noted."""

    last_position: int
    entries_count: int
    spans: list[tuple[int, int, str, str]]


def find_spent(connection: apsw.Connection, up_to_position: int, before_us: int, limit: int) -> Spent | None:
    """Return at most `limit` entries that were received before and lie no further; None where there is none.

    Positions stay without a gap, so the first that is to be kept ends the search; the last of the journal is always
    kept, since the next one follows it. Raises apsw.Error and JournalError.
    """
    first = cast(int | None, connection.execute(_FIRST).get)
    rows = cast(list[tuple[int, str]], connection.execute(_OLD, (up_to_position, before_us, limit)).fetchall())
    found = [row for place, row in enumerate(rows) if first is not None and row[0] == first + place]
    if not found:
        return None
    spans = []
    for position, device_id in found:
        by_epoch: dict[str, list[int]] = {}
        for key in read_keys(connection, position):
            by_epoch.setdefault(key.epoch, []).append(key.seq)
        spans += [
            (piece.first, position, device_id, epoch)
            for epoch, numbers in by_epoch.items()
            for piece in runs(sorted(numbers))
        ]
    return Spent(found[-1][0], len(found), spans)


def delete_spent(connection: apsw.Connection, spent: Spent) -> None:
    """Delete them, all or none. Raises apsw.Error."""
    with connection:
        connection.executemany(_DELETE_SPAN, spent.spans)
        connection.execute(_DELETE, (spent.last_position,))
