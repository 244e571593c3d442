"""Silence: a weekend is none, three days are."""

from datetime import UTC, datetime, timedelta

from mektep_collector.sla.availability import Availability
from mektep_collector.sla.freshness import Freshness, freshness

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_a_weekend_is_no_silence_and_more_than_three_days_are() -> None:
    assert freshness(NOW - timedelta(hours=61), NOW) is Freshness.LIVE
    assert freshness(NOW - timedelta(hours=72), NOW) is Freshness.LIVE
    assert freshness(NOW - timedelta(hours=72, seconds=1), NOW) is Freshness.SILENT
    assert freshness(None, NOW) is Freshness.NEVER


def test_availability_without_runs_is_unknown() -> None:
    assert Availability(ok_count=0, failed_count=0).ratio is None
    assert Availability(ok_count=3, failed_count=1).ratio == 0.75
    assert Availability(ok_count=3, failed_count=1).runs_count == 4
