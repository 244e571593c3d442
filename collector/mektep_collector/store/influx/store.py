"""The Store protocol over InfluxDB: fed by one thread, asked by many.

A server that is away is no reason not to start: the journal waits, feeding fails and is tried again, and questions
raise StoreError. Points that the server refuses for good are dead letters, in a file beside.
"""

import heapq
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from mektep_collector.config.retention import FOR_EVER, Retention
from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.store.error import StoreError
from mektep_collector.store.influx import answers, questions
from mektep_collector.store.influx.dead_letters import FILE, DeadLetters
from mektep_collector.store.influx.delivery import deliver
from mektep_collector.store.influx.points import SCHOOL, WHOLE, points_of, whole_points_of
from mektep_collector.store.influx.progress import Progress, progress_of, progress_point, progress_question
from mektep_collector.store.influx.server import Address, InfluxServer
from mektep_collector.store.influx.text import text_of_tag
from mektep_collector.store.one_engine import of_one_engine
from mektep_collector.store.planned import PLANS, Plan
from mektep_collector.store.run import Run, traces_of
from mektep_collector.store.store import AuditTrace, DaySummary, Period, Trace
from mektep_collector.store.summary import summarise
from mektep_collector.store.table import CellRow, Placement, tabulate_series
from mektep_wire import Direction, Metric, ProbeName

_LOG = logging.getLogger(__name__)
_PROBES, _DIRECTIONS = list(ProbeName), list(Direction)


class InfluxStore:
    """The Store protocol over one database; dead letters lie in `directory`. Who opens it closes it.

    `zone_of` tells a school's time zone by its id; `collector_id` tells collectors apart that fill one database: each
    has its own position and counts what it has put. `retention` says how long points are kept. Raises StoreError when
    the file of dead letters cannot be opened.
    """

    def __init__(
        self,
        address: Address,
        directory: Path,
        zone_of: Callable[[str], ZoneInfo],
        collector_id: str = "",
        retention: Retention = FOR_EVER,
    ) -> None:
        self._address = address
        self._collector_id = collector_id
        self._zone_of = zone_of
        self._dead_letters = DeadLetters(directory / FILE)
        self._connecting = threading.Lock()
        self._feeding = threading.Lock()
        self._server: InfluxServer | None = None
        self._progress = Progress()
        self._retention = retention
        self._deleted_before: dict[str, datetime] = {}
        try:
            self._connected()
        except StoreError as error:
            _LOG.warning("store_out_of_reach", extra={"reason": str(error)})

    def position(self) -> int:
        """Return the journal position up to which this store has taken in; 0 too until the server has been reached."""
        return self._progress.position

    def put(self, entries: Sequence[Entry]) -> None:
        """Take in entries and the position with them. Raises StoreError; the position stays then.

        What a put wrote before it failed is written once more by the next, point by point the same.
        """
        with self._feeding:
            server = self._connected()
            fresh = [entry for entry in entries if entry.position > self._progress.position]
            if not fresh:
                return
            lines = [line for entry in fresh for line in points_of(entry)]
            refused = deliver(server, [line for entry in fresh for line in whole_points_of(entry)])
            refused += deliver(server, lines)
            if refused:
                self._dead_letters.add(refused)
            progress = Progress(
                position=fresh[-1].position,
                readings_count=self._progress.readings_count + len(lines),
                quarantined_count=self._progress.quarantined_count + sum(map(_quarantined_count, fresh)),
            )
            server.write([progress_point(progress, self._collector_id)])
            self._progress = progress

    def latest(self, school_ids: Sequence[str] | None = None) -> Sequence[Accepted]:
        """Return each school's newest reading of each (probe, direction), by school and kind. Raises StoreError."""
        found = [
            each
            for asked in _in_parts(school_ids)
            for rows in self._connected().ask(questions.latest(asked))
            for _, each in answers.accepted(rows)
        ]
        return sorted(found, key=lambda each: (each.school_id, *_kind(each)))

    def readings(self, school_id: str, period: Period, probe: ProbeName | None = None) -> Sequence[Accepted]:
        """Return a school's readings of a period in order of time. Raises StoreError."""
        found = [
            placed
            for rows in self._connected().ask(questions.readings(probe, period, school_id))
            for placed in answers.accepted(rows)
        ]
        return [each for _, each in sorted(found, key=lambda placed: placed[0])]

    def series(self, school_id: str, metric: Metric, period: Period) -> Sequence[Trace]:
        """Return the runs that measured, or should have measured, `metric`, in order of time. Raises StoreError."""
        runs = [run for _, found in self._runs(metric, period, [school_id]) for run in found]
        return _series(metric, runs)

    def days(self, metric: Metric, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[DaySummary]:
        """Return a row for each school and local day with at least one run, by school and day. Raises StoreError."""
        rows = [
            row
            for school_id, runs in self._runs(metric, period, school_ids)
            for row in summarise(school_id, _series(metric, runs), self._zone_of(school_id))
        ]
        return sorted(rows, key=lambda row: (row.school_id, row.day))

    def table(self, metric: Metric, period: Period, places: Mapping[str, Placement]) -> Sequence[CellRow]:
        """Return a row for each cell with at least one run of the schools in `places`, by cell. Raises StoreError."""
        asked = list(places) if len(places) <= questions.SCHOOLS_A_QUESTION else None
        found = self._runs(metric, period, asked)
        return tabulate_series(
            ((school_id, _series(metric, runs)) for school_id, runs in found if school_id in places), places
        )

    def audits(self, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[AuditTrace]:
        """Return the good runs that state both figures, by school and in order of time. Raises StoreError."""
        found = [
            placed
            for asked in _in_parts(school_ids)
            for direction in Direction
            for rows in self._connected().ask(questions.audits(direction, period, asked))
            for placed in answers.audits(direction, rows)
        ]
        return [audit for _, audit in sorted(found, key=lambda placed: (placed[1].school_id, placed[0]))]

    def count(self) -> int:
        """Return how many readings the store has taken in, quarantined ones too, refused ones not."""
        return self._progress.readings_count - self._dead_letters.count_outside(WHOLE)

    def count_quarantined(self) -> int:
        """Return how many readings are held without a time that can be trusted."""
        return self._progress.quarantined_count

    def dead_letters_count(self) -> int:
        """Return how many points the server refused for good."""
        return self._dead_letters.count()

    def thin_out(self, now: datetime) -> None:
        """Delete what retention has no place for any more at the aware time `now`: whole readings, and runs.

        Asks the server once for each day that ends. Raises StoreError.
        """
        asked = [
            (self._retention.last_without_readings(now), [WHOLE]),
            (self._retention.last_without_runs(now), [probe.value for probe in ProbeName]),
        ]
        for last, measurements in asked:
            if last is None:
                continue
            before = datetime.combine(last + timedelta(days=1), time(0), UTC)
            for measurement in measurements:
                if self._deleted_before.get(measurement) != before:
                    self._connected().delete(questions.deletion(measurement, before))
                    self._deleted_before[measurement] = before

    def close(self) -> None:
        """Let go of files and connections. Further calls are a bug."""
        with self._feeding, self._connecting:
            self._dead_letters.close()
            if self._server is not None:
                self._server.close()

    def _connected(self) -> InfluxServer:
        with self._connecting:
            if self._server is None:
                server = InfluxServer(self._address)
                try:
                    self._progress = progress_of(server.ask(progress_question(self._collector_id)))
                except StoreError:
                    server.close()
                    raise
                self._server = server
            return self._server

    def _runs(
        self, metric: Metric, period: Period, school_ids: Sequence[str] | None
    ) -> Iterator[tuple[str, list[Run]]]:
        """Yield the runs of schools that have any, school by school: a whole country is never in memory at once."""
        server = self._connected()
        for asked in _in_parts(school_ids):
            answers_by_school = (
                _by_school(server, plan, questions.runs(plan, metric, period, asked)) for plan in PLANS[metric]
            )
            merged = heapq.merge(*answers_by_school, key=_school_tag)
            for tag, parts in groupby(merged, _school_tag):
                found = [run for _, runs in parts for run in runs]
                if found:
                    yield text_of_tag(tag), found


def _by_school(server: InfluxServer, plan: Plan, question: str) -> Iterator[tuple[str, list[Run]]]:
    """Yield the runs of an answer by school, in the order of the stored names, in which InfluxDB groups them."""
    for tag, parts in groupby(server.ask(question), lambda rows: rows.tags[SCHOOL]):
        yield tag, [run for rows in parts for run in answers.runs(plan, rows)]


def _school_tag(found: tuple[str, list[Run]]) -> str:
    return found[0]


def _in_parts(school_ids: Sequence[str] | None) -> Iterator[Sequence[str] | None]:
    if school_ids is None:
        yield None
        return
    ordered = sorted(set(school_ids))
    for start in range(0, len(ordered), questions.SCHOOLS_A_QUESTION):
        yield ordered[start : start + questions.SCHOOLS_A_QUESTION]


def _series(metric: Metric, runs: list[Run]) -> Sequence[Trace]:
    runs.sort()
    return of_one_engine(metric, traces_of(runs))


def _kind(accepted: Accepted) -> tuple[int, int]:
    direction = accepted.reading.direction
    return _PROBES.index(accepted.reading.probe), 0 if direction is None else _DIRECTIONS.index(direction)


def _quarantined_count(entry: Entry) -> int:
    return sum(each.time_method is TimeMethod.QUARANTINED for each in entry.accepted)
