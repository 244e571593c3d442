"""The school's document tells why runs were slow or failed, and how often each cause was it."""

from datetime import timedelta

import pytest

from mektep_collector.journal.entry import Accepted
from mektep_collector.reports.build.causes import CauseCount, build_causes
from mektep_wire import (
    Cause,
    CauseReason,
    Diagnosis,
    Direction,
    EngineName,
    Evidence,
    ExpectedFrom,
    Failure,
    FailureKind,
    Metric,
    Outcome,
    ProbeName,
)
from tests.support import invented_schools as invented

MONTH = invented.Month(invented.MET, 7)
EVIDENCE = Evidence(expected_mbps=50.0, expected_from=ExpectedFrom.CONTRACT)


def slow(hour: int, cause: Cause) -> Accepted:
    return MONTH.reading(
        invented.NOW - timedelta(hours=hour), ProbeName.THROUGHPUT, EngineName.NDT7, direction=Direction.DOWNLOAD,
        values={Metric.DOWNLOAD_THROUGHPUT_MBPS: 20.0},
        diagnosis=Diagnosis(cause=cause, reason=CauseReason.FULL_BEHIND_GATEWAY, evidence=EVIDENCE),
    )  # fmt: skip


def failed(hour: int, cause: Cause) -> Accepted:
    return MONTH.reading(
        invented.NOW - timedelta(hours=hour), ProbeName.LATENCY, EngineName.UDP_ECHO, outcome=Outcome.FAILED,
        failure=Failure(kind=FailureKind.NO_ANSWER),
        diagnosis=Diagnosis(cause=cause, reason=CauseReason.NOTHING_BEYOND_GATEWAY),
    )  # fmt: skip


def good(hour: int) -> Accepted:
    return MONTH.reading(
        invented.NOW - timedelta(hours=hour), ProbeName.THROUGHPUT, EngineName.NDT7, direction=Direction.DOWNLOAD,
        values={Metric.DOWNLOAD_THROUGHPUT_MBPS: 49.0},
    )  # fmt: skip


def test_causes_are_counted_by_slow_and_failed_runs_the_most_frequent_first() -> None:
    found = build_causes([slow(5, Cause.WIFI), slow(4, Cause.PROVIDER), good(3), failed(2, Cause.PROVIDER)])
    assert found.counts == [
        CauseCount(cause=Cause.PROVIDER, slow_count=1, failed_count=1),
        CauseCount(cause=Cause.WIFI, slow_count=1, failed_count=0),
    ]


def test_each_run_with_a_cause_is_told_the_newest_first() -> None:
    found = build_causes([slow(5, Cause.WIFI), good(3), failed(2, Cause.PROVIDER)])
    assert [row.cause for row in found.rows] == [Cause.PROVIDER, Cause.WIFI]
    assert (found.rows[1].value_mbps, found.rows[1].expected_mbps) == (20.0, 50.0)
    assert found.rows[0].value_mbps is None
    assert found.rows[0].direction is None


@pytest.mark.parametrize("readings", [[], [good(1)]])
def test_without_slow_or_failed_runs_there_is_no_cause(readings: list[Accepted]) -> None:
    found = build_causes(readings)
    assert (list(found.rows), list(found.counts)) == ([], [])
