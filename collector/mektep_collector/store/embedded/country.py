"""Questions about many schools at once, to the files of closed days and recent runs together, answered by DuckDB.

DuckDB reads the files and keeps nothing of its own: its database is in memory, bounded, and never a file. What the
answers rest on is the same as where one school is asked for: the plans of a metric, one engine a school
(`one_engine.py`), the one definition of percentile (`sla/percentile.py`), to the last digit.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa

from mektep_collector.journal.correction import from_us, to_us
from mektep_collector.store.embedded.archive import files_within
from mektep_collector.store.embedded.day_file import SCHEMA
from mektep_collector.store.embedded.local_offsets import offset_spans
from mektep_collector.store.embedded.manifest import Manifest, date_of
from mektep_collector.store.embedded.pieces import DAY_US
from mektep_collector.store.error import StoreError
from mektep_collector.store.one_engine import is_chosen_by_name
from mektep_collector.store.planned import AUDITED, PLANS, Plan
from mektep_collector.store.run import Run
from mektep_collector.store.store import AuditTrace, DaySummary, Period
from mektep_wire import Direction, EngineName, Metric, Outcome

if TYPE_CHECKING:
    import duckdb

MEMORY_LIMIT: Final = "512MB"
_THREADS: Final = 2
_DAYS_AT_ONCE: Final = 60_000
_ENGINES: Final = list(EngineName)
_PERCENTILE: Final = """
CREATE MACRO at_rank(ordered, rank) AS
  least(greatest(
    ordered[1 + CAST(floor(rank) AS BIGINT)]
    + (coalesce(ordered[2 + CAST(floor(rank) AS BIGINT)], ordered[len(ordered)])
      - ordered[1 + CAST(floor(rank) AS BIGINT)]) * (rank - floor(rank)),
    ordered[1 + CAST(floor(rank) AS BIGINT)]),
    coalesce(ordered[2 + CAST(floor(rank) AS BIGINT)], ordered[len(ordered)]));
CREATE MACRO percentile_of(ordered, ratio) AS
  CASE WHEN len(ordered) > 0 THEN at_rank(ordered, CAST(ratio AS DOUBLE) * (len(ordered) - 1)) END;
"""
COUNTS: Final = f"""
count(*) FILTER (outcome = '{Outcome.OK.value}') AS ok_count,
count(*) FILTER (outcome = '{Outcome.FAILED.value}') AS failed_count,
count(*) FILTER (outcome = '{Outcome.SKIPPED.value}') AS skipped_count
"""
_RUNS: Final = pa.schema(
    [
        ("school_id", pa.string()),
        ("at_us", pa.int64()),
        ("engine", pa.string()),
        ("outcome", pa.string()),
        ("value", pa.float64()),
    ]
)


Ask = Callable[[str, Mapping[str, Any]], list[Any]]
"""Returns the rows of a query over the files and tables of pyarrow's."""


class Country:
    """Asks files in `folder`. Safe for many threads; who makes it closes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None

    def days(
        self,
        manifest: Manifest,
        metric: Metric,
        period: Period,
        recent: Mapping[str, Sequence[Run]],
        zones: Mapping[str, ZoneInfo],
    ) -> list[DaySummary]:
        """Return a row for each school in `zones` and local day with a run, by school and day. Raises StoreError."""
        school_ids = sorted(zones)
        at_once = max(1, _DAYS_AT_ONCE // max(1, (period.until - period.since).days))
        spans = _spans(zones, period)
        found: list[DaySummary] = []
        for first in range(0, len(school_ids), at_once):
            some = school_ids[first : first + at_once]
            tables = {
                "recent": recent_table({school_id: recent.get(school_id, ()) for school_id in some}),
                "school": pa.table(
                    {
                        "school_id": pa.array(some, pa.string()),
                        "zone": pa.array([zones[school_id].key for school_id in some], pa.string()),
                    }
                ),
                "span": spans,
            }
            rows = self.ask(_days(self.runs(manifest, metric, period, some), metric), tables)
            found += [
                DaySummary(
                    school_id=school_id,
                    day=date_of(day).isoformat(),
                    ok_count=ok_count,
                    failed_count=failed_count,
                    skipped_count=skipped_count,
                    median=median,
                    p10=p10,
                    p90=p90,
                )
                for school_id, day, ok_count, failed_count, skipped_count, median, p10, p90 in rows
            ]
        return found

    def audits(self, manifest: Manifest, period: Period) -> list[tuple[tuple[int, int, int], AuditTrace]]:
        """Return the good runs that state both figures, each with its place, in no order. Raises StoreError."""
        found: list[tuple[tuple[int, int, int], AuditTrace]] = []
        source = self._files(manifest, period)
        if source is None:
            return found
        for direction, (shortened, full_length) in AUDITED.items():
            rows = self.ask(
                f"""SELECT epoch_us("at"), position, item, school_id, device_id, engine, {shortened.value},
                  {full_length.value} FROM {source}
                WHERE {full_length.value} IS NOT NULL AND {shortened.value} IS NOT NULL
                  AND outcome = '{Outcome.OK.value}' AND direction = '{direction.value}' AND {_within(period)}""",  # noqa: S608 (words of our own)
                {},
            )
            found += [
                (
                    (at_us, position, item),
                    AuditTrace(
                        at=from_us(at_us),
                        school_id=school_id,
                        device_id=device_id,
                        direction=Direction(direction),
                        engine=EngineName(engine),
                        shortened_mbps=short,
                        full_length_mbps=full,
                    ),
                )
                for at_us, position, item, school_id, device_id, engine, short, full in rows
            ]
        return found

    def close(self) -> None:
        """Let go of the database. Further calls are a bug."""
        with self._lock:
            if self._database is not None:
                self._database.close()

    def runs(self, manifest: Manifest, metric: Metric, period: Period, school_ids: Sequence[str] = ()) -> str:
        """Return SQL for the runs of a metric's series by any engine, those of the table `recent` with them.

        `school_ids`, where given, are in order: schools outside the first and the last are left out.
        """
        recent = "SELECT school_id, at_us, engine, outcome, value FROM recent"
        source = self._files(manifest, period)
        if source is None:
            return recent
        column = f'"{metric.value}"'
        member = " OR ".join(_member(plan, column) for plan in PLANS[metric])
        between = f"school_id BETWEEN {_text(school_ids[0])} AND {_text(school_ids[-1])} AND " if school_ids else ""
        return f"""SELECT school_id, epoch_us("at") AS at_us, engine, outcome,
            CASE WHEN outcome = '{Outcome.OK.value}' THEN {column} END AS value
          FROM {source} WHERE {between}{_within(period)} AND ({member}) UNION ALL {recent}"""  # noqa: S608 (words of our own)

    def _files(self, manifest: Manifest, period: Period) -> str | None:
        paths = [_text(str(self._folder / file.name)) for file in files_within(manifest, period)]
        if not paths:
            return None
        # A column that no file has, since a metric is newer than all of them, comes from an empty day of today's form.
        read = f"read_parquet([{', '.join(paths)}], union_by_name = true)"
        return f"(SELECT * FROM {read} UNION ALL BY NAME SELECT * FROM empty_day)"  # noqa: S608 (words of our own)

    def expected_count(self, manifest: Manifest, metric: Metric, period: Period) -> int:
        """Return about how many runs of a metric's series the files have, from one of them. Raises StoreError."""
        files = files_within(manifest, period)
        if not files:
            return 0
        largest = max(files, key=lambda file: file.reading_count)
        one = msgspec.structs.replace(manifest, files=(largest,))
        empty = {"recent": recent_table({})}
        ((count,),) = self.ask(f"SELECT count(*) FROM ({self.runs(one, metric, period)}) AS run", empty)  # noqa: S608 (words of our own)
        return int(count * sum(file.reading_count for file in files) / max(1, largest.reading_count))

    def columns(self, query: str, tables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the columns of a query by name, as arrays of numpy. Raises StoreError."""
        with self._cursor() as cursor:
            _register(cursor, tables)
            return cursor.execute(query).fetchnumpy()

    def ask(self, query: str, tables: Mapping[str, Any]) -> list[Any]:
        """Return the rows of a query over the files and `tables`, which are pyarrow's. Raises StoreError."""
        with self.asking() as ask:
            return ask(query, tables)

    @contextmanager
    def asking(self) -> Iterator[Ask]:
        """Lend what asks one query after another, of which a later one finds what an earlier one has made.

        Raises StoreError.
        """
        with self._cursor() as cursor:

            def ask(query: str, tables: Mapping[str, Any]) -> list[Any]:
                _register(cursor, tables)
                return cursor.execute(query).fetchall()

            yield ask

    @contextmanager
    def _cursor(self) -> "Iterator[duckdb.DuckDBPyConnection]":
        import duckdb

        try:
            with self._open().cursor() as cursor:
                yield cursor
        except duckdb.Error as error:
            raise StoreError(
                f"the closed days in {self._folder} cannot be read: {error}; `mektep-collector doctor` says which file "
                "is harmed"
            ) from error

    def _open(self) -> "duckdb.DuckDBPyConnection":
        # Here, and not above: each command would pay for it, and only some questions need it.
        import duckdb

        with self._lock:
            if self._database is None:
                self._database = duckdb.connect(
                    ":memory:",
                    config={
                        "memory_limit": MEMORY_LIMIT,
                        "threads": _THREADS,
                        "preserve_insertion_order": False,
                        "autoinstall_known_extensions": False,
                        "autoload_known_extensions": False,
                        "temp_directory": "",
                    },
                )
                self._database.execute(_PERCENTILE)
            return self._database


def _register(cursor: "duckdb.DuckDBPyConnection", tables: Mapping[str, Any]) -> None:
    for name, table in {**tables, "empty_day": SCHEMA.empty_table()}.items():
        cursor.register(name, table)


def main_engines(runs: str, metric: Metric) -> str:
    """Return SQL of `WITH` clauses: `run`, `main` (each school's engine) and `kept`, as `of_one_engine` keeps them."""
    ranked = " ".join(f"WHEN '{engine.value}' THEN {place}" for place, engine in enumerate(_ENGINES))
    kept = "engine = main.of" if is_chosen_by_name(metric) else "(engine = main.of OR value IS NULL)"
    return f"""WITH run AS ({runs}),
      engine_count AS (
        SELECT school_id, engine, count(value) AS values_count, count(*) AS runs_count FROM run GROUP BY ALL),
      ordered AS (
        SELECT school_id, engine, row_number() OVER (PARTITION BY school_id ORDER BY values_count DESC,
          CASE WHEN most = 0 THEN runs_count ELSE 0 END DESC, CASE engine {ranked} END) AS place
        FROM (SELECT *, max(values_count) OVER (PARTITION BY school_id) AS most FROM engine_count)),
      main AS (SELECT school_id, engine AS of FROM ordered WHERE place = 1),
      kept AS (SELECT run.* FROM run JOIN main USING (school_id) WHERE {kept})"""  # noqa: S608 (words of our own)


def _days(runs: str, metric: Metric) -> str:
    return f"""{main_engines(runs, metric)}
      SELECT school_id, day, ok_count, failed_count, skipped_count,
        percentile_of(ordered, 0.5), percentile_of(ordered, 0.1), percentile_of(ordered, 0.9)
      FROM (
        SELECT school_id, (at_us + offset_us) // {DAY_US} AS day, {COUNTS},
          list_sort(list(value) FILTER (value IS NOT NULL)) AS ordered
        FROM kept JOIN school USING (school_id)
        JOIN span ON span.zone = school.zone AND at_us >= since_us AND at_us < until_us
        GROUP BY school_id, day)
      ORDER BY school_id, day"""  # noqa: S608 (words of our own)


def _member(plan: Plan, column: str) -> str:
    direction = f"direction = '{plan.direction.value}'" if plan.direction is not None else "direction IS NULL"
    covered = ", ".join(f"'{engine.value}'" for engine in _ENGINES if plan.covers(engine))
    failed = f"engine IN ({covered})" if covered else "false"
    return (
        f"(probe = '{plan.probe.value}' AND {direction} AND "
        f"CASE WHEN outcome = '{Outcome.OK.value}' THEN {column} IS NOT NULL ELSE {failed} END)"
    )


def _within(period: Period) -> str:
    return f'"at" >= make_timestamptz({to_us(period.since)}) AND "at" < make_timestamptz({to_us(period.until)})'


def _spans(zones: Mapping[str, ZoneInfo], period: Period) -> Any:  # noqa: ANN401 (pyarrow has no types)
    distinct = {zone.key: zone for zone in zones.values()}
    spans = [(key, *span) for key, zone in distinct.items() for span in offset_spans(zone, period)]
    names, since_us, until_us, offset_us = zip(*spans, strict=True) if spans else ((), (), (), ())
    return pa.table(
        {
            "zone": pa.array(names, pa.string()),
            "since_us": pa.array(since_us, pa.int64()),
            "until_us": pa.array(until_us, pa.int64()),
            "offset_us": pa.array(offset_us, pa.int64()),
        }
    )


def recent_table(recent: Mapping[str, Sequence[Run]]) -> Any:  # noqa: ANN401 (pyarrow has no types)
    """Return recent runs as the table that queries know by the name `recent`."""
    rows = [(school_id, run) for school_id, runs in recent.items() for run in runs]
    return pa.table(
        [
            [school_id for school_id, _ in rows],
            [run.at_us for _, run in rows],
            [run.engine for _, run in rows],
            [run.outcome for _, run in rows],
            [run.value for _, run in rows],
        ],
        schema=_RUNS,
    )


def _text(value: str) -> str:
    """Return a value as a text of SQL."""
    return "'" + value.replace("'", "''") + "'"
