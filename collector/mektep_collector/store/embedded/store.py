"""The store that needs no server: files in one directory, fed by one thread, read by many.

Recent readings are in SQLite, by column as they travelled. Closed days are files of their own beside it (`days/`).
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import apsw
import msgspec

from mektep_collector.journal.checkpoint import Checkpoints
from mektep_collector.journal.connection import Durability, open_writer
from mektep_collector.journal.entry import Accepted, Entry
from mektep_collector.journal.readers import Readers, ReadersBusyError
from mektep_collector.store.embedded import recent
from mektep_collector.store.embedded.intake import Intake, Progress
from mektep_collector.store.embedded.run import Run, traces_of
from mektep_collector.store.embedded.schema import KINDS, prepare
from mektep_collector.store.error import StoreError
from mektep_collector.store.one_engine import of_one_engine
from mektep_collector.store.store import AuditTrace, DaySummary, Period, Trace
from mektep_collector.store.summary import summarise
from mektep_wire import Metric, ProbeName

_CACHE_KIB = 65_536


class EmbeddedStore:
    """The Store protocol over files in `directory`, which is made if absent. Raises StoreError; who opens it closes it.

    `zone_of` tells a school's time zone by its id.
    """

    def __init__(self, directory: Path, zone_of: Callable[[str], ZoneInfo]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / "recent.sqlite"
        self._zone_of = zone_of
        self._feeding = threading.Lock()
        self._readers = Readers(self._path)
        try:
            self._connection = open_writer(self._path, Durability.EVERY_CHECKPOINT)
        except apsw.Error as error:
            raise self._failed("open", error) from error
        try:
            prepare(self._connection, self._path)
            self._connection.pragma("cache_size", -_CACHE_KIB)
            self._intake = Intake(self._connection)
            self._progress: Progress = self._intake.progress()
        except (apsw.Error, StoreError) as error:
            self._connection.close()
            if isinstance(error, StoreError):
                raise
            raise self._failed("read", error) from error
        self._checkpoints = Checkpoints(self._connection, self._readers)

    def position(self) -> int:
        """Return the journal position up to which this store has taken in, 0 for none."""
        return self._progress.position

    def put(self, entries: Sequence[Entry]) -> None:
        """Take in entries and the position with them: all or nothing. Raises StoreError."""
        with self._feeding:
            try:
                self._progress = self._intake.take(entries)
                self._checkpoints.run_if_due()
            except apsw.Error as error:
                raise self._failed("write", error) from error

    def latest(self, school_ids: Sequence[str] | None = None) -> Sequence[Accepted]:
        """Return each school's newest reading of each (probe, direction), by school and kind. Raises StoreError."""
        with self._reading() as connection:
            return recent.latest(connection, school_ids)

    def readings(self, school_id: str, period: Period, probe: ProbeName | None = None) -> Sequence[Accepted]:
        """Return a school's readings of a period in order of time. Raises StoreError."""
        kinds = [number for (name, _), number in KINDS.items() if probe is None or name is probe]
        with self._reading() as connection:
            found = recent.readings(connection, {}, school_id, period, kinds)
        return [placed.accepted for placed in sorted(found, key=lambda placed: placed.order)]

    def series(self, school_id: str, metric: Metric, period: Period) -> Sequence[Trace]:
        """Return the runs that measured, or should have measured, `metric`, in order of time. Raises StoreError."""
        with self._reading() as connection:
            found = recent.series_runs(connection, {}, school_id, metric, period)
        return _series(metric, found)

    def days(self, metric: Metric, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[DaySummary]:
        """Return a row for each school and local day with at least one run, by school and day. Raises StoreError."""
        wanted = None if school_ids is None else set(school_ids)
        with self._reading() as connection:
            schools = self._schools(connection, wanted)
            found = recent.runs_by_school(connection, {}, metric, period, schools)
        rows: list[DaySummary] = []
        for school_id in sorted(found):
            rows += summarise(school_id, _series(metric, found[school_id]), self._zone_of(school_id))
        return rows

    def audits(self, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[AuditTrace]:
        """Return the good runs that state both figures, by school and in order of time. Raises StoreError."""
        wanted = None if school_ids is None else set(school_ids)
        with self._reading() as connection:
            found = recent.audits(connection, {}, period)
        found.sort(key=lambda each: (each[1].school_id, each[0]))
        return [audit for _, audit in found if wanted is None or audit.school_id in wanted]

    def count(self) -> int:
        """Return how many readings the store holds, quarantined ones too."""
        return self._progress.reading_count

    def count_quarantined(self) -> int:
        """Return how many readings are held without a time that can be trusted."""
        return self._progress.quarantined_count

    def close(self) -> None:
        """Let go of files and connections. Further calls are a bug."""
        with self._feeding:
            self._readers.close()
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[apsw.Connection]:
        try:
            with self._readers.lend() as connection:
                yield connection
        except (apsw.Error, ReadersBusyError, msgspec.DecodeError) as error:
            raise self._failed("read", error) from error

    def _schools(self, connection: apsw.Connection, wanted: set[str] | None) -> dict[int, str]:
        rows = cast(list[tuple[int, str]], connection.execute("SELECT school, school_id FROM school").fetchall())
        return {number: school_id for number, school_id in rows if wanted is None or school_id in wanted}

    def _failed(self, doing: str, error: Exception) -> StoreError:
        return StoreError(f"cannot {doing} the store {self._path}: {error}; nothing is lost, the journal holds it all")


def _series(metric: Metric, runs: list[Run]) -> Sequence[Trace]:
    runs.sort()
    return of_one_engine(metric, traces_of(runs))
