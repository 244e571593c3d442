"""The store that needs no server: files in one directory, fed by one thread, read by many.

Recent readings are in SQLite, by column as they travelled. Closed days are files of their own beside it (`days/`).
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import apsw
import msgspec

from mektep_collector.config.retention import FOR_EVER, Retention
from mektep_collector.journal.checkpoint import Checkpoints
from mektep_collector.journal.connection import Durability, open_writer
from mektep_collector.journal.entry import Accepted, Entry
from mektep_collector.journal.readers import Readers, ReadersBusyError
from mektep_collector.store.embedded import by_column, cells, recent
from mektep_collector.store.embedded.archive import Archive, files_within
from mektep_collector.store.embedded.audit_pairs import paired
from mektep_collector.store.embedded.closing import DAYS, RECENT, close_day
from mektep_collector.store.embedded.country import Country
from mektep_collector.store.embedded.day_files import DayFiles
from mektep_collector.store.embedded.due import due_days
from mektep_collector.store.embedded.intake import Intake, Progress
from mektep_collector.store.embedded.manifest import DayFile, Kept, Manifest, number_of
from mektep_collector.store.embedded.schema import KINDS, prepare
from mektep_collector.store.embedded.schools_file import take_in
from mektep_collector.store.error import StoreError
from mektep_collector.store.one_engine import of_one_engine
from mektep_collector.store.planned import AUDITED
from mektep_collector.store.run import Run, traces_of
from mektep_collector.store.run_columns import RunColumns
from mektep_collector.store.store import AuditTrace, DaySummary, Period, Trace
from mektep_collector.store.summary import summarise
from mektep_collector.store.table import CellRow, Placement
from mektep_wire import Metric, ProbeName

_CACHE_KIB = 65_536
_LOG_LIMIT_PAGES = 4_096
"""16 MiB: nobody waits for an answer while it is moved, and the disk is asked to sync only then."""
_FORGOTTEN_COUNT = 20_000
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_FEW_SCHOOLS_COUNT = 8
"""So many schools are asked one by one faster than the whole country's files."""
_FORGET = "DELETE FROM piece WHERE piece IN (SELECT piece FROM piece WHERE day = ? AND position <= ? LIMIT ?)"

_FORGET_SCHOOL = "DELETE FROM school_day WHERE school = ? AND day <= ?"
_SCHOOLS_AT_ONCE = 500

Closer = Callable[[Path, date, int, Kept], DayFile]
"""Writes the file of a day of the store in a directory up to a position: `close_day`, or a `ClosingProcess`."""


class EmbeddedStore:
    """The Store protocol over files in `directory`, which is made if absent. Raises StoreError; who opens it closes it.

    `zone_of` tells a school's time zone by its id; `closer` writes the files of closed days; `retention` says how long
    they are kept.
    """

    def __init__(
        self,
        directory: Path,
        zone_of: Callable[[str], ZoneInfo],
        closer: Closer = close_day,
        retention: Retention = FOR_EVER,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / RECENT
        self._zone_of = zone_of
        self._closer = closer
        self._retention = retention
        self._closing = threading.Lock()
        self._feeding = threading.Lock()
        self._readers = Readers(self._path)
        self._days = DayFiles(directory / DAYS)
        self._archive = Archive(directory / DAYS)
        self._country = Country(directory / DAYS)
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
        self._checkpoints = Checkpoints(self._connection, self._readers, _LOG_LIMIT_PAGES)

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
        with self._reading() as (connection, _):
            return recent.latest(connection, school_ids)

    def readings(self, school_id: str, period: Period, probe: ProbeName | None = None) -> Sequence[Accepted]:
        """Return a school's readings of a period in order of time. Raises StoreError."""
        kinds = [number for (name, _), number in KINDS.items() if probe is None or name is probe]
        with self._days.lend():
            with self._reading() as (connection, manifest):
                found = recent.readings(connection, manifest.through(), school_id, period, kinds)
            found += self._archive.readings(manifest, school_id, period, probe)
        return [placed.accepted for placed in sorted(found, key=lambda placed: placed.order)]

    def series(self, school_id: str, metric: Metric, period: Period) -> Sequence[Trace]:
        """Return the runs that measured, or should have measured, `metric`, in order of time. Raises StoreError."""
        (found,) = self._runs(school_id, [metric], period)
        return _series(metric, found)

    def days(self, metric: Metric, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[DaySummary]:
        """Return a row for each school and local day with at least one run, by school and day. Raises StoreError."""
        if school_ids is not None and len(school_ids) <= _FEW_SCHOOLS_COUNT:
            return [
                day
                for school_id in sorted(set(school_ids))
                for day in summarise(school_id, self.series(school_id, metric, period), self._zone_of(school_id))
            ]
        with self._days.lend():
            manifest, schools, found = self._of_schools(metric, period, school_ids)
            if files_within(manifest, period):
                zones = {school_id: self._zone_of(school_id) for school_id in schools}
                return self._country.days(manifest, metric, period, found, zones)
        rows: list[DaySummary] = []
        for school_id in sorted(found):
            rows += summarise(school_id, _series(metric, found[school_id]), self._zone_of(school_id))
        return rows

    def table(self, metric: Metric, period: Period, places: Mapping[str, Placement]) -> Sequence[CellRow]:
        """Return a row for each cell with at least one run of the schools in `places`, by cell. Raises StoreError."""
        with self._days.lend():
            manifest, _, found = self._of_schools(metric, period, list(places))
            return cells.table(self._country, manifest, metric, period, found, places)

    def run_columns(self, metric: Metric, periods: Mapping[str, Period]) -> RunColumns:
        """Return the runs of the schools in `periods`, each within its own period, by column. Raises StoreError."""
        whole = Period(
            min((each.since for each in periods.values()), default=_NEVER),
            max((each.until for each in periods.values()), default=_NEVER),
        )
        with self._days.lend():
            manifest, _, found = self._of_schools(metric, whole, list(periods))
            return by_column.run_columns(self._country, manifest, metric, periods, found)

    def audits(self, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[AuditTrace]:
        """Return the good runs that state both figures, by school and in order of time. Raises StoreError."""
        if school_ids is not None and len(school_ids) <= _FEW_SCHOOLS_COUNT:
            return [audit for school_id in sorted(set(school_ids)) for audit in self._audits_of(school_id, period)]
        wanted = None if school_ids is None else set(school_ids)
        with self._days.lend():
            with self._reading() as (connection, manifest):
                found = recent.audits(connection, manifest.through(), period)
            found += self._country.audits(manifest, period)
        found.sort(key=lambda each: (each[1].school_id, each[0]))
        return [audit for _, audit in found if wanted is None or audit.school_id in wanted]

    def due_days(self, now: datetime) -> Sequence[date]:
        """Return the days that may be closed at the aware time `now`, oldest first. Raises StoreError.

        A day is due some hours after its end; again once late readings for it are many, or have waited a day.
        """
        with self._reading() as (connection, manifest):
            return due_days(connection, manifest, now)

    def close_day(self, day: date) -> DayFile:
        """Move all readings of a day into a file of its own; blocks for seconds, while feeding and reading go on.

        Raises StoreError; the day is as it was then, and nothing is lost.
        """
        return self._close(day, Kept.READINGS)

    def thin_out(self, now: datetime) -> None:
        """Do what retention asks for at the aware time `now`: keep old days in short, and let go of older ones.

        Blocks for seconds a day. Raises StoreError; what is not done is as it was.
        """
        last_short = self._retention.last_without_readings(now)
        last_gone = self._retention.last_without_runs(now)
        files = self._days.manifest.files
        short = [file.day for file in files if last_short and file.day <= last_short and file.kept is Kept.READINGS]
        gone = [file.day for file in files if last_gone and file.day <= last_gone]
        for day in short:
            if day not in gone:
                self._close(day, Kept.RUNS)
        if gone:
            with self._closing:
                try:
                    self._forget()  # or what the tables still hold of these days would be seen again
                    self._days.put_in_force(self._days.manifest.without(gone))
                    self._days.clear()
                except (apsw.Error, OSError) as error:
                    raise self._failed("thin out", error) from error
        if short or gone:
            self._forget_schools(max([*short, *gone]))

    def _close(self, day: date, kept: Kept) -> DayFile:
        with self._closing:
            try:
                closed = self._closer(self._path.parent, day, self._progress.position, kept)
                with self._feeding:
                    self._days.put_in_force(self._days.manifest.with_file(closed))
                self._settle()
            except (apsw.Error, OSError) as error:
                raise StoreError(f"cannot close the day {day}: {error}; its readings stay where they were") from error
        return closed

    def tidy(self) -> None:
        """Clear away what a killed program left behind. Raises StoreError."""
        with self._closing:
            try:
                self._settle()
            except (apsw.Error, OSError) as error:
                raise self._failed("tidy", error) from error

    def closed_days_count(self) -> int:
        """Return how many days have a file of their own."""
        return len(self._days.manifest.files)

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
            self._country.close()
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[tuple[apsw.Connection, Manifest]]:
        """Lend a connection that sees one state, and the manifest of that state or a later one.

        So a day that is being closed is seen in the tables, or in its file, or in both: then the file counts.
        """
        try:
            with self._readers.lend() as connection:
                connection.execute("BEGIN")
                try:
                    connection.execute("SELECT position FROM progress").fetchall()
                    yield connection, self._days.manifest
                finally:
                    connection.execute("ROLLBACK")
        except (apsw.Error, ReadersBusyError, msgspec.DecodeError) as error:
            raise self._failed("read", error) from error

    def _runs(self, school_id: str, metrics: Sequence[Metric], period: Period) -> list[list[Run]]:
        """Return a school's runs of each metric's series, of whichever engine and in no order."""
        with self._days.lend():
            with self._reading() as (connection, manifest):
                found = [
                    recent.series_runs(connection, manifest.through(), school_id, each, period) for each in metrics
                ]
                packed = recent.packed_days(connection, manifest, school_id, period)
            for runs, metric in zip(found, metrics, strict=True):
                runs += self._archive.runs(manifest, school_id, metric, period, packed)
        return found

    def _audits_of(self, school_id: str, period: Period) -> list[AuditTrace]:
        """Return a school's audits in order of time."""
        asked = list(AUDITED.items())
        found = iter(self._runs(school_id, [metric for _, both in asked for metric in both], period))
        placed = [audit for direction, _ in asked for audit in paired(school_id, direction, next(found), next(found))]
        return [audit for _, audit in sorted(placed, key=lambda each: each[0])]

    def _of_schools(
        self, metric: Metric, period: Period, school_ids: Sequence[str] | None
    ) -> tuple[Manifest, Sequence[str], dict[str, list[Run]]]:
        """Return what is in force, the schools asked for that are known, and their recent runs."""
        wanted = None if school_ids is None else set(school_ids)
        with self._reading() as (connection, manifest):
            rows = cast(list[tuple[int, str]], connection.execute("SELECT school, school_id FROM school").fetchall())
            schools = {number: name for number, name in rows if wanted is None or name in wanted}
            found = recent.runs_by_school(connection, manifest.through(), metric, period, schools)
        return manifest, list(schools.values()), found

    def _settle(self) -> None:
        """Bring the tables in line with the files in force, and clear away what none of them is."""
        with self._feeding:
            for closed in self._days.manifest.files:
                take_in(self._connection, self._path.parent / DAYS, closed)
        self._forget()
        self._days.clear()

    def _forget(self) -> None:
        """Delete the pieces that closed days have, some at a time, so that feeding never waits long."""
        for day, through in self._days.manifest.through().items():
            deleted = -1
            while deleted:
                with self._feeding:
                    self._connection.execute(_FORGET, (day, through, _FORGOTTEN_COUNT))
                    deleted = self._connection.changes()
                    self._checkpoints.run_if_due()

    def _forget_schools(self, last: date) -> None:
        """Delete the schools' packed days up to `last`, some schools at a time."""
        with self._reading() as (connection, _):
            schools = cast(list[tuple[int]], connection.execute("SELECT school FROM school").fetchall())
        for first in range(0, len(schools), _SCHOOLS_AT_ONCE):
            with self._feeding:
                self._connection.executemany(
                    _FORGET_SCHOOL,
                    [(school, number_of(last)) for (school,) in schools[first : first + _SCHOOLS_AT_ONCE]],
                )
                self._checkpoints.run_if_due()

    def _failed(self, doing: str, error: Exception) -> StoreError:
        return StoreError(f"cannot {doing} the store {self._path}: {error}; nothing is lost, the journal holds it all")


def _series(metric: Metric, runs: list[Run]) -> Sequence[Trace]:
    runs.sort()
    return of_one_engine(metric, traces_of(runs))
