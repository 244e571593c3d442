"""Questions to the files of closed days: a school's by row groups, the whole country's by DuckDB (`country.py`).

A file's footer says which schools each row group has, so a school's day is read from one or two row groups of it.
Footers of files that were asked lately are kept.
"""

import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mektep_collector.journal.correction import to_us
from mektep_collector.store.embedded.day_file import accepted_of, open_day
from mektep_collector.store.embedded.manifest import DayFile, Kept, Manifest, number_of
from mektep_collector.store.embedded.pieces import DAY_US
from mektep_collector.store.embedded.recent import Placed
from mektep_collector.store.embedded.school_day import runs_of
from mektep_collector.store.error import StoreError
from mektep_collector.store.planned import PLANS
from mektep_collector.store.run import OK, Run, member_of
from mektep_collector.store.store import Period
from mektep_wire import Metric, ProbeName

_KEPT_COUNT: Final = 128
_RUN_COLUMNS: Final = (
    "school_id", "at", "position", "item", "device_id", "engine", "outcome", "origin", "cause", "probe", "direction",
)  # fmt: skip


class _Footer(NamedTuple):
    metadata: Any
    schools: Sequence[tuple[str, str]]


class Archive:
    """The files of closed days in `folder`. Safe for many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._footers: OrderedDict[str, _Footer] = OrderedDict()
        self._lock = Lock()

    def runs(
        self, manifest: Manifest, school_id: str, metric: Metric, period: Period, packed: Mapping[str, bytes]
    ) -> list[Run]:
        """Return a school's runs of the metric's series, in no order. Raises StoreError.

        `packed` holds the school's day of those files, by name, that the tables have it of.
        """
        plans = {
            (plan.probe.value, plan.direction.value if plan.direction is not None else None): member_of(plan)
            for plan in PLANS[metric]
        }
        since_us, until_us = to_us(period.since), to_us(period.until)
        found: list[Run] = []
        for name, content in packed.items():
            try:
                found += runs_of(content, metric, plans, since_us, until_us)
            except (zlib.error, msgspec.DecodeError) as error:
                raise StoreError(
                    f"what the tables hold of school {school_id} for {name} cannot be read: {error}; set the store's "
                    "directory aside, and it is made again from the journal"
                ) from error
        left = [file for file in files_within(manifest, period) if file.name not in packed]
        for table in self._tables(left, school_id, [*_RUN_COLUMNS, metric.value]):
            cells = table.to_pydict()
            values = cells.get(metric.value) or [None] * table.num_rows
            at = table.column("at").cast(pa.int64()).to_pylist()
            for place, (at_us, value, outcome) in enumerate(zip(at, values, cells["outcome"], strict=True)):
                is_member = plans.get((cells["probe"][place], cells["direction"][place]))
                if is_member is None or not since_us <= at_us < until_us:
                    continue
                value = value if outcome == OK else None
                if is_member(cells["engine"][place], outcome, value):
                    found.append(
                        Run(
                            at_us,
                            cells["position"][place],
                            cells["item"][place],
                            cells["device_id"][place],
                            cells["engine"][place],
                            outcome,
                            cells["origin"][place],
                            cells["cause"][place],
                            value,
                        )
                    )
        return found

    def readings(self, manifest: Manifest, school_id: str, period: Period, probe: ProbeName | None) -> Iterator[Placed]:
        """Return a school's readings of a period, in no order; days that are kept in short have none.

        Raises StoreError.
        """
        since_us, until_us = to_us(period.since), to_us(period.until)
        whole = [file for file in files_within(manifest, period) if file.kept is Kept.READINGS]
        for table in self._tables(whole, school_id, None):
            wanted = table if probe is None else table.filter(pc.equal(table.column("probe"), probe.value))
            positions, items = wanted.column("position").to_pylist(), wanted.column("item").to_pylist()
            for position, item, accepted in zip(positions, items, accepted_of(wanted), strict=True):
                at_us = to_us(accepted.at)
                if since_us <= at_us < until_us:
                    yield Placed((at_us, position, item), accepted)

    def _tables(self, files: Iterable[DayFile], school_id: str, columns: Sequence[str] | None) -> Iterator[Any]:
        for file in files:
            footer = self._footer(file)
            groups = [group for group, (low, high) in enumerate(footer.schools) if low <= school_id <= high]
            if not groups:
                continue
            with pq.ParquetFile(self._folder / file.name, metadata=footer.metadata) as opened:
                known = None if columns is None else [name for name in columns if name in opened.schema_arrow.names]
                table = opened.read_row_groups(groups, columns=known, use_threads=False)
            own = table.filter(pc.equal(table.column("school_id"), school_id))
            if own.num_rows:
                yield own

    def _footer(self, file: DayFile) -> _Footer:
        with self._lock:
            footer = self._footers.get(file.name)
            if footer is not None:
                self._footers.move_to_end(file.name)
                return footer
        with open_day(self._folder / file.name) as opened:
            metadata = opened.metadata
        place = metadata.schema.names.index("school_id")
        spans = [metadata.row_group(group).column(place).statistics for group in range(metadata.num_row_groups)]
        footer = _Footer(metadata, [(span.min, span.max) for span in spans])
        with self._lock:
            self._footers[file.name] = footer
            while len(self._footers) > _KEPT_COUNT:
                self._footers.popitem(last=False)
        return footer


def files_within(manifest: Manifest, period: Period) -> Iterable[DayFile]:
    """Return the files that may have readings of a period."""
    first, last = to_us(period.since) // DAY_US, to_us(period.until) // DAY_US
    return [file for file in manifest.files if first <= number_of(file.day) <= last]
