"""The embedded store with its days closed while a test looks elsewhere: what was asked of tables is asked of files."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from mektep_collector.journal.entry import Entry
from mektep_collector.store.embedded import EmbeddedStore
from mektep_collector.store.embedded.closing import close_day

FAR_FUTURE = datetime(2090, 1, 1, tzinfo=UTC)


class ClosingStore(EmbeddedStore):
    """Closes all days after each call of `put` that brought an odd number of readings: some are late for their file."""

    def __init__(self, directory: Path, zone_of: Callable[[str], ZoneInfo]) -> None:
        super().__init__(directory, zone_of, close_day)

    def put(self, entries: Sequence[Entry]) -> None:
        before = self.count()
        super().put(entries)
        if (self.count() - before) % 2:
            for day in self.due_days(FAR_FUTURE):
                self.close_day(day)
