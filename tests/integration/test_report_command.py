"""`mektep-collector report` over what a simulated fleet delivered: the figures are those of its readings."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from mektep_collector.journal.journal import Journal
from mektep_collector.simulate.day import LOCAL
from mektep_collector.sla.percentile import percentile
from mektep_wire import Direction, Metric, Outcome, ProbeName
from tests.support.running_collector import answer, await_that, command, running_collector

SCHOOLS, DAYS = 8, 9


class Delivered:
    """A data directory with what came in, and the days that it is of."""

    def __init__(self, data_dir: Path, today: datetime) -> None:
        self.data_dir = data_dir
        self.period = f"{(today - timedelta(days=DAYS)).date()}/{(today - timedelta(days=1)).date()}"

    def report(self, *options: str) -> bytes:
        """Return the report with all hours, as it is written."""
        every = ("report", "--period", self.period, "--all-hours", *options)
        return command(*every, data_dir=self.data_dir).stdout_bytes

    def document(self, *options: str) -> dict[str, Any]:
        """Return the report as JSON says it."""
        found: dict[str, Any] = json.loads(self.report(*options))
        return found

    def downloads(self) -> dict[str, list[float | None]]:
        """Return the downloads of each school in the journal, None where one failed."""
        first, last = self.period.split("/")
        journal = Journal(self.data_dir / "journal")
        try:
            entries = journal.read(0, 100_000)
        finally:
            journal.close()
        found: dict[str, list[float | None]] = {}
        for accepted in (each for entry in entries for each in entry.accepted):
            reading = accepted.reading
            day = (accepted.at + LOCAL).date().isoformat()
            is_test = reading.probe is ProbeName.THROUGHPUT and reading.direction is Direction.DOWNLOAD
            if is_test and reading.outcome is not Outcome.SKIPPED and first <= day <= last:
                value = reading.values.get(Metric.DOWNLOAD_THROUGHPUT_MBPS) if reading.outcome is Outcome.OK else None
                found.setdefault(accepted.school_id, []).append(value)
        return found


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    data_dir = tmp_path_factory.mktemp("data")
    with running_collector(data_dir, "--no-measure") as collector:
        today = datetime.now(UTC) + LOCAL
        said = answer(
            "simulate", "--schools", str(SCHOOLS), "--days", str(DAYS), "--seed", "138", "--connections", "4",
            "--url", collector.url, data_dir=data_dir,
        )  # fmt: skip
        await_that(lambda: collector.metric("mektep_store_readings") >= said["stored_count"], "the store takes all in")
    return Delivered(data_dir, today)


def test_each_schools_figures_are_those_of_its_readings_and_it_is_marked_as_simulated(delivered: Delivered) -> None:
    downloads = delivered.downloads()
    schools = delivered.document()["schools"]
    assert len(schools) == SCHOOLS
    for figures in schools:
        own = downloads.get(figures["school_id"], [])
        values = [value for value in own if value is not None]
        assert figures["download"]["ok_count"] == len(values) > 0
        assert figures["download"]["failed_count"] == len(own) - len(values)
        assert figures["download"]["median_mbps"] == percentile(values, 0.5)
        assert figures["origin"] == "simulated"


def test_formats_say_the_same_and_another_tool_comes_to_the_same_sums(delivered: Delivered) -> None:
    document = delivered.document()
    rows = list(csv.DictReader(StringIO(delivered.report("--format", "csv").decode("utf-8-sig"))))
    packed = pq.read_table(BytesIO(delivered.report("--format", "parquet")))
    assert [row["school_id"] for row in rows] == [each["school_id"] for each in document["schools"]]
    assert [float(row["download_median_mbps"]) for row in rows] == packed["download_median_mbps"].to_pylist()
    assert packed.schema.metadata[b"data_sha256"].decode() == document["data_hash"]
    query = "SELECT sum(tests_count), sum(failed_count), median(download_median_mbps) FROM packed"
    ((tests, failed, middle),) = duckdb.connect().execute(query, {}).fetchall()
    assert (tests, failed) == (document["whole"]["tests_count"], document["whole"]["failed_count"])
    assert middle == pytest.approx(document["whole"]["median_mbps"])


def test_the_same_data_give_the_same_bytes(delivered: Delivered) -> None:
    for options in (("--format", "csv", "--separator", ";"), ("--format", "parquet", "--rows", "groups")):
        assert delivered.report(*options) == delivered.report(*options)


def test_a_report_of_one_school_is_of_that_school(delivered: Delivered, tmp_path: Path) -> None:
    (wanted,) = delivered.document("--school", "simulated-3")["schools"]
    assert wanted["school_id"] == "simulated-3"
    file = tmp_path / "report.json"
    delivered.report("--school", "simulated-3", "--output", str(file))
    assert [each["school_id"] for each in json.loads(file.read_bytes())["schools"]] == ["simulated-3"]


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--period", "october"), 2, "write a month as 2026-10"),
        (("--period", "2026-10", "--region", "KZ-61", "--school", "1"), 2, "exclude each other"),
        (("--period", "2026-10", "--separator", "|"), 2, "a comma or a semicolon"),
        (("--period", "2026-10", "--school", "no such"), 1, "the register has no school 'no such'"),
        (("--period", "2026-10", "--region", "KZ-99"), 1, "regions are codes such as KZ-61"),
    ],
)
def test_what_cannot_be_reported_on_is_said(
    delivered: Delivered, options: tuple[str, ...], code: int, says: str
) -> None:
    assert says in command("report", *options, data_dir=delivered.data_dir, expect=code).stderr
