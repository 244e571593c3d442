"""Files of closed days that older versions wrote, kept as they were: today's code reads each as it was meant.

A new version adds a folder beside `version_1`, with a file, its manifest, and the readings that it holds (all of them
simulated, and marked so).
"""

import shutil
import statistics
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from mektep_collector.journal.entry import Accepted
from mektep_collector.store.embedded import ClosingProcess
from mektep_collector.store.embedded.day_file import SCHEMA, DayWriter, Mark, open_day
from mektep_collector.store.embedded.manifest import Kept, Manifest
from mektep_collector.store.error import StoreError
from mektep_collector.store.store import Period
from mektep_collector.store.table import Placement
from mektep_wire import Metric, Origin, Outcome
from tests.support.closing_under_fire import open_store

FOLDER = Path(__file__).parents[1] / "data" / "day_files"
VERSIONS = sorted(path.name for path in FOLDER.iterdir())
DAY = Period(datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 6, tzinfo=UTC))


def _expected(version: str) -> list[Accepted]:
    lines = (FOLDER / version / "readings.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Accepted) for line in lines]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_file_holds_its_readings_still(version: str, tmp_path: Path) -> None:
    shutil.copytree(FOLDER / version, tmp_path / "days")
    expected = _expected(version)
    assert {each.reading.origin for each in expected} == {Origin.SIMULATED}
    store = open_store(tmp_path, ClosingProcess())
    try:
        for school_id in {each.school_id for each in expected}:
            own = [each for each in expected if each.school_id == school_id]
            assert list(store.readings(school_id, DAY)) == own
            values = [
                each.reading.values[Metric.IDLE_RTT_MS]
                for each in own
                if each.reading.outcome is Outcome.OK and Metric.IDLE_RTT_MS in each.reading.values
            ]
            (row,) = store.table(Metric.IDLE_RTT_MS, DAY, {school_id: Placement("all")})
            assert row.ok_count == len(values) > 0
            assert row.median == statistics.median(values)
    finally:
        store.close()


def test_a_file_that_lacks_columns_reads_them_as_absent(tmp_path: Path) -> None:
    """What a metric that is new today looks like in yesterday's file."""
    shutil.copytree(FOLDER / "version_1", tmp_path / "days")
    (path,) = (tmp_path / "days").glob("*.parquet")
    table, metadata = pq.read_table(path), pq.ParquetFile(path).metadata.metadata
    with pq.ParquetWriter(path, table.drop_columns([Metric.TTFB_MS.value]).schema) as writer:
        writer.write_table(table.drop_columns([Metric.TTFB_MS.value]))
        writer.add_key_value_metadata({b"mektep_day": metadata[b"mektep_day"]})
    store = open_store(tmp_path, ClosingProcess())
    try:
        school_id = _expected("version_1")[0].school_id
        assert not [trace for trace in store.series(school_id, Metric.TTFB_MS, DAY) if trace.value is not None]
        assert [trace for trace in store.series(school_id, Metric.IDLE_RTT_MS, DAY) if trace.value is not None]
        assert [row for row in store.table(Metric.TTFB_MS, DAY, {school_id: Placement("all")}) if row.ok_count] == []
    finally:
        store.close()


def test_a_file_of_a_newer_collector_is_refused_with_what_to_do(tmp_path: Path) -> None:
    mark = Mark(version=99, day=DAY.since.date(), through_position=1)
    DayWriter(tmp_path / "new.parquet", mark, Kept.READINGS).close()
    with pytest.raises(StoreError, match="newer collector"):
        open_day(tmp_path / "new.parquet")


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    pq.ParquetWriter(tmp_path / "other.parquet", SCHEMA).close()
    with pytest.raises(StoreError, match="metadata does not say so"):
        open_day(tmp_path / "other.parquet")


def test_a_manifest_of_a_newer_collector_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "manifest.json").write_bytes(msgspec.json.encode(Manifest(version=99)))
    with pytest.raises(StoreError, match="newer collector"):
        open_store(tmp_path, ClosingProcess())
