"""The school's document tells its outages, and its availability counts them once."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mektep_collector.journal.entry import Accepted, Entry
from mektep_collector.reports.build.fleet import build_fleet
from mektep_collector.reports.build.school import SchoolDocument, build_school
from mektep_collector.sla.availability import RUN_S
from mektep_wire import (
    Direction,
    EngineName,
    Failure,
    FailureKind,
    Metric,
    Outage,
    OutageCause,
    Outcome,
    ProbeName,
    Trigger,
)
from tests.support import invented_schools as invented
from tests.support.memory_store import MemoryStore

MONTH = invented.Month(invented.MET, 5)
TEN = invented.NOW - timedelta(hours=3)


def an_outage(begin: datetime, length_s: float, cause: OutageCause = OutageCause.PROVIDER) -> Accepted:
    return MONTH.reading(
        begin, ProbeName.OUTAGE, EngineName.HEARTBEAT, trigger=Trigger.EVENT, duration_s=length_s,
        values={Metric.OUTAGE_DURATION_S: length_s},
        outage=Outage(cause=cause, school_s=length_s, begin_uncertainty_s=60.0, end_uncertainty_s=20.0),
    )  # fmt: skip


def a_test(at: datetime, outcome: Outcome) -> Accepted:
    failed = outcome is Outcome.FAILED
    return MONTH.reading(
        at, ProbeName.THROUGHPUT, EngineName.NDT7, direction=Direction.DOWNLOAD, outcome=outcome,
        values={} if failed else {Metric.DOWNLOAD_THROUGHPUT_MBPS: 40.0},
        failure=Failure(kind=FailureKind.CONNECT_TIMEOUT) if failed else None,
    )  # fmt: skip


def store_of(*readings: Accepted) -> MemoryStore:
    store = MemoryStore(lambda school_id: ZoneInfo("Asia/Almaty"))
    store.put([Entry(position=1, received_at=invented.NOW, accepted=sorted(readings, key=lambda one: one.at))])
    return store


def document(*readings: Accepted) -> SchoolDocument:
    return build_school(invented.MET, invented.DEVICES, store_of(*readings), invented.NOW)


def test_an_outage_is_told_with_begin_end_cause_and_the_tests_that_failed_in_it() -> None:
    inside, outside = (
        a_test(TEN + timedelta(minutes=5), Outcome.FAILED),
        a_test(TEN - timedelta(hours=1), Outcome.FAILED),
    )
    made = document(an_outage(TEN, 1_800.0), inside, outside, a_test(TEN + timedelta(hours=1), Outcome.OK))
    (row,) = made.outages
    assert (row.begin, row.end, row.cause) == (TEN, TEN + timedelta(minutes=30), OutageCause.PROVIDER)
    assert (row.begin_uncertainty_s, row.end_uncertainty_s, row.failed_runs_count) == (60.0, 20.0, 1)
    share = made.availability
    assert (share.ok_count, share.failed_count, share.failed_in_outage_count) == (1, 1, 1)
    assert share.ratio == pytest.approx(1 / (2 + 1_800.0 / RUN_S))


def test_the_fleet_counts_as_the_schools_page_does() -> None:
    readings = [an_outage(TEN, 1_800.0), a_test(TEN + timedelta(minutes=5), Outcome.FAILED), a_test(TEN, Outcome.OK)]
    store = store_of(*readings)
    (row,) = build_fleet([invented.MET], invented.DEVICES, store, invented.NOW).rows
    assert row.availability == document(*readings).availability
    assert row.availability.outage_count == 1


def test_an_outage_that_began_before_the_period_counts_by_what_reaches_into_it() -> None:
    begin = document().period.since - timedelta(hours=1)
    made = document(an_outage(begin, 7_200.0))
    assert made.availability.outage_s == pytest.approx(3_600.0)
    assert len(made.outages) == 1


def test_the_newest_outage_is_told_first() -> None:
    made = document(an_outage(TEN, 60.0), an_outage(TEN + timedelta(hours=1), 60.0, OutageCause.POWER))
    assert [row.cause for row in made.outages] == [OutageCause.POWER, OutageCause.PROVIDER]
    assert [row.is_of_the_line for row in made.outages] == [False, True]
