"""The store that needs no server: files in one directory, fed by one thread, read by many.

Recent readings are in SQLite. The directory is this store's own, so that closed days can stand beside them in files of
another form without a caller noticing.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import apsw
import msgspec

from mektep_collector.journal.checkpoint import Checkpoints
from mektep_collector.journal.connection import Durability, open_writer
from mektep_collector.journal.correction import from_us, to_us
from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.journal.readers import Readers, ReadersBusyError
from mektep_collector.store.embedded.intake import Intake, Progress
from mektep_collector.store.embedded.schema import HAS_AUDIT, KIND_OF, KINDS, prepare
from mektep_collector.store.error import StoreError
from mektep_collector.store.one_engine import of_one_engine
from mektep_collector.store.planned import AUDITED, PLANS
from mektep_collector.store.store import AuditTrace, DaySummary, Period, Trace
from mektep_collector.store.summary import summarise
from mektep_wire import EngineName, FailureKind, Metric, Origin, Outcome, ProbeName, Reading, SkipReason

_CACHE_KIB = 65_536

_LATEST = """
SELECT school_id, device_id, payload.at_us, time_method, reading FROM latest
JOIN payload USING (payload) JOIN school ON school.school = latest.school JOIN device ON device.device = payload.device
WHERE ?1 IS NULL OR school_id IN (SELECT value FROM json_each(?1)) ORDER BY school_id, kind
"""
_READINGS = """
SELECT school_id, device_id, payload.at_us, time_method, reading FROM run
JOIN payload USING (payload) JOIN school ON school.school = run.school JOIN device ON device.device = run.device
WHERE school_id = ? AND kind IN (SELECT value FROM json_each(?)) AND run.at_us >= ? AND run.at_us < ?
ORDER BY run.at_us, payload
"""
_TRACES = """
SELECT at_us, payload, device_id, engine, outcome, origin, cause, metrics FROM run JOIN device USING (device)
WHERE school = ? AND kind = ? AND at_us >= ? AND at_us < ? ORDER BY at_us, payload
"""
_AUDITS = f"""
SELECT at_us, school_id, device_id, kind, engine, metrics FROM run
JOIN school USING (school) JOIN device USING (device)
WHERE {HAS_AUDIT} AND outcome = ? AND at_us >= ? AND at_us < ?
AND (?4 IS NULL OR school IN (SELECT school FROM school WHERE school_id IN (SELECT value FROM json_each(?4))))
ORDER BY school_id, at_us, payload
"""  # noqa: S608 (a fragment of our own)

_WholeRow = tuple[str, str, int, str, bytes]
_AuditRow = tuple[int, str, str, int, str, bytes]
_TraceRow = tuple[int, int, str, str, str, str, str | None, bytes]


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
        self._decoder = msgspec.json.Decoder(Reading)
        self._unpack = msgspec.msgpack.Decoder(dict[str, float]).decode
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
        return self._whole(_LATEST, (None if school_ids is None else _listed(school_ids),))

    def readings(self, school_id: str, period: Period, probe: ProbeName | None = None) -> Sequence[Accepted]:
        """Return a school's readings of a period in order of time. Raises StoreError."""
        kinds = [number for (name, _), number in KINDS.items() if probe is None or name is probe]
        return self._whole(_READINGS, (school_id, _listed(kinds), to_us(period.since), to_us(period.until)))

    def series(self, school_id: str, metric: Metric, period: Period) -> Sequence[Trace]:
        """Return the runs that measured, or should have measured, `metric`, in order of time. Raises StoreError."""
        try:
            with self._readers.lend() as connection:
                row = connection.execute("SELECT school FROM school WHERE school_id = ?", (school_id,)).fetchone()
                return self._traces(connection, cast(int, row[0]), metric, period) if row else []
        except (apsw.Error, ReadersBusyError) as error:
            raise self._failed("read", error) from error

    def days(self, metric: Metric, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[DaySummary]:
        """Return a row for each school and local day with at least one run, by school and day. Raises StoreError."""
        try:
            with self._readers.lend() as connection:
                found = connection.execute("SELECT school_id, school FROM school ORDER BY school_id").fetchall()
        except (apsw.Error, ReadersBusyError) as error:
            raise self._failed("read", error) from error
        wanted = None if school_ids is None else set(school_ids)
        rows: list[DaySummary] = []
        for school_id, number in cast(list[tuple[str, int]], found):
            if wanted is None or school_id in wanted:
                rows.extend(self._days_of(school_id, number, metric, period))
        return rows

    def audits(self, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[AuditTrace]:
        """Return the good runs that state both figures, by school and in order of time. Raises StoreError."""
        wanted = None if school_ids is None else _listed(school_ids)
        bindings = (Outcome.OK.value, to_us(period.since), to_us(period.until), wanted)
        try:
            with self._readers.lend() as connection:
                rows = cast(list[_AuditRow], connection.execute(_AUDITS, bindings).fetchall())
        except (apsw.Error, ReadersBusyError) as error:
            raise self._failed("read", error) from error
        return [audit for row in rows if (audit := self._audit(row)) is not None]

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

    def _days_of(self, school_id: str, number: int, metric: Metric, period: Period) -> list[DaySummary]:
        """One school at a time, so that a long summary never holds a connection, and with it the log, for long."""
        try:
            with self._readers.lend() as connection:
                traces = self._traces(connection, number, metric, period)
        except (apsw.Error, ReadersBusyError) as error:
            raise self._failed("read", error) from error
        return summarise(school_id, traces, self._zone_of(school_id)) if traces else []

    def _traces(self, connection: apsw.Connection, school: int, metric: Metric, period: Period) -> list[Trace]:
        since_us, until_us = to_us(period.since), to_us(period.until)
        found: list[tuple[int, int, Trace]] = []
        for plan in PLANS[metric]:
            kind = KINDS[plan.probe, plan.direction]
            rows = cast(list[_TraceRow], connection.execute(_TRACES, (school, kind, since_us, until_us)).fetchall())
            for at_us, payload, device_id, engine, outcome, origin, cause, metrics in rows:
                value = None
                if outcome == Outcome.OK:
                    value = self._unpack(metrics).get(metric)
                    if value is None:
                        continue
                elif not plan.covers(EngineName(engine)):
                    continue
                trace = Trace(
                    at=from_us(at_us),
                    device_id=device_id,
                    engine=EngineName(engine),
                    outcome=Outcome(outcome),
                    origin=Origin(origin),
                    value=value,
                    failure=FailureKind(cause) if cause is not None and outcome == Outcome.FAILED else None,
                    skip=SkipReason(cause) if cause is not None and outcome == Outcome.SKIPPED else None,
                )
                found.append((at_us, payload, trace))
        if len(PLANS[metric]) > 1:
            found.sort(key=lambda each: each[:2])
        return list(of_one_engine(metric, [trace for _, _, trace in found]))

    def _audit(self, row: _AuditRow) -> AuditTrace | None:
        at_us, school_id, device_id, kind, engine, metrics = row
        _, direction = KIND_OF[kind]
        if direction is None:
            return None
        shortened, full_length = AUDITED[direction]
        values = self._unpack(metrics)
        if shortened not in values or full_length not in values:
            return None
        return AuditTrace(
            at=from_us(at_us),
            school_id=school_id,
            device_id=device_id,
            direction=direction,
            engine=EngineName(engine),
            shortened_mbps=values[shortened],
            full_length_mbps=values[full_length],
        )

    def _whole(self, query: str, bindings: tuple[str | int | None, ...]) -> list[Accepted]:
        try:
            with self._readers.lend() as connection:
                rows = cast(list[_WholeRow], connection.execute(query, bindings).fetchall())
        except (apsw.Error, ReadersBusyError) as error:
            raise self._failed("read", error) from error
        return [
            Accepted(
                reading=self._decoder.decode(reading),
                device_id=device_id,
                school_id=school_id,
                at=from_us(at_us),
                time_method=TimeMethod(method),
            )
            for school_id, device_id, at_us, method, reading in rows
        ]

    def _failed(self, doing: str, error: Exception) -> StoreError:
        return StoreError(f"cannot {doing} the store {self._path}: {error}; nothing is lost, the journal holds it all")


def _listed(items: Sequence[str] | Sequence[int]) -> str:
    return msgspec.json.encode(list(items)).decode()
