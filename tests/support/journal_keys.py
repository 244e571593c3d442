"""What journals hold, reading by reading, by what makes a reading itself."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mektep_collector.journal.entry import Accepted
from mektep_collector.journal.journal import Journal

_ENTRIES_AT_ONCE = 64


class Key(NamedTuple):
    """What makes a reading itself, wherever it lies."""

    device_id: str
    epoch: str
    seq: int


def keys(accepted: Iterable[Accepted]) -> Iterable[Key]:
    """Return what makes each reading itself."""
    return (Key(each.device_id, each.reading.epoch, each.reading.seq) for each in accepted)


def journalled(data_dir: Path) -> Counter[Key]:
    """Return how often the journal of a data directory, whose collector has ended, holds each reading."""
    journal = Journal(data_dir / "journal")
    found: Counter[Key] = Counter()
    position = 0
    try:
        while entries := journal.read(position, _ENTRIES_AT_ONCE):
            position = entries[-1].position
            for entry in entries:
                found.update(keys(entry.accepted))
    finally:
        journal.close()
    return found
