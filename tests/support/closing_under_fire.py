"""An embedded store that is fed and closes its days as fast as it can, until something kills it.

`python -m tests.support.closing_under_fire DIRECTORY` prints the position after each step that is done.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.store.embedded import ClosingProcess, EmbeddedStore
from tests.support.school_device import NOON, SchoolDevice

SCHOOLS = ("school 0", "school 1", "school 2")
ENTRIES_COUNT = 400
_DAYS_COUNT = 3
_READINGS_COUNT = 20
_FAR_FUTURE = datetime(2090, 1, 1, tzinfo=UTC)


def open_store(directory: Path, closer: ClosingProcess) -> EmbeddedStore:
    """Return the store in `directory`; the caller closes it."""
    return EmbeddedStore(directory, lambda _school_id: ZoneInfo("Asia/Almaty"), closer)


def entry(position: int) -> Entry:
    """Return the entry at a position: the same each time it is asked for, of several days, some of them late."""
    school_id = SCHOOLS[position % len(SCHOOLS)]
    device, draw = SchoolDevice(position, school_id), Random(position)
    accepted = []
    for seq in range(1, _READINGS_COUNT + 1):
        at = NOON - timedelta(days=draw.randrange(_DAYS_COUNT), minutes=draw.randrange(300))
        accepted.append(
            Accepted(
                reading=device.reading(seq, at),
                device_id=device.record.id,
                school_id=school_id,
                at=at,
                time_method=TimeMethod.SAME_BOOT,
            )
        )
    return Entry(position=position, received_at=NOON, accepted=accepted)


def main() -> None:
    """Feed and close until killed, or until all entries are in."""
    closer = ClosingProcess()
    store = open_store(Path(sys.argv[1]), closer)
    store.tidy()
    while store.position() < ENTRIES_COUNT:
        first = store.position() + 1
        store.put([entry(each) for each in range(first, min(first + 5, ENTRIES_COUNT + 1))])
        print(store.position(), flush=True)
        for day in store.due_days(_FAR_FUTURE):
            store.close_day(day)
    closer.stop()
    store.close()


if __name__ == "__main__":
    main()
