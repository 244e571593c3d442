"""The school's document: every run of the period, and every failure with its kind."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mektep_collector.registry.records import School
from mektep_collector.reports.build.school import SchoolDocument, build_school
from mektep_collector.reports.build.window import last_days
from mektep_wire import FailureKind, Metric, Outcome, SkipReason
from tests.support import invented_schools as invented
from tests.support.memory_store import MemoryStore


def _build(school: School) -> SchoolDocument:
    store = MemoryStore(lambda school_id: ZoneInfo("Asia/Almaty"))
    store.put(invented.entries())
    return build_school(school, invented.DEVICES, store, invented.NOW)


def test_every_failed_and_skipped_run_of_the_period_is_told_with_its_kind() -> None:
    document = _build(invented.BELOW)
    failed = [run for run in document.unmeasured if run.failure is not None]
    skipped = [run for run in document.unmeasured if run.skip is not None]
    assert len(failed) == document.download.failed_count + document.upload.failed_count + sum(
        day.failed_count for day in document.latency_series.days
    )
    assert {run.skip for run in skipped} == {SkipReason.MACHINE_OFF}
    assert dict(document.failures).keys() <= set(FailureKind)
    assert sum(count for _, count in document.failures) == len(failed)
    assert [run.at for run in document.unmeasured] == sorted((run.at for run in document.unmeasured), reverse=True)


def test_a_failed_run_is_in_the_series_without_a_value() -> None:
    runs = _build(invented.FAILING).download_series.runs
    assert len(runs) == 12
    assert {(run.outcome, run.value, run.failure) for run in runs} == {
        (Outcome.FAILED, None, FailureKind.CAPTIVE_PORTAL)
    }


def test_a_series_has_a_row_for_each_local_day() -> None:
    series = _build(invented.SILENT).download_series
    assert len(series.days) == 30
    assert (series.days[0].day, series.days[-1].day) == ("2026-10-25", "2026-11-23")
    assert [day.ok_count for day in series.days[-9:]] == [0] * 9


def test_newest_values_say_on_how_many_observations_they_rest() -> None:
    document = _build(invented.MET)
    rtt = document.last_values[Metric.IDLE_RTT_MS]
    assert rtt.observations_count == 100
    assert rtt.at == max(run.at for run in document.latency_series.runs if run.outcome is Outcome.OK)


def test_data_used_counts_both_ways_over_all_runs() -> None:
    document = _build(invented.HOSTILE)
    assert document.runs_count == 2
    assert document.data_used_bytes == int(93.7 * 1_250_000) + int(88.2 * 1_250_000)


def test_only_the_schools_own_computers_are_listed() -> None:
    assert [device.id for device in _build(invented.MET).devices] == [invented.device(invented.MET).id]
    assert _build(invented.NEW).devices == []


def test_a_school_without_readings_has_a_document_that_says_so() -> None:
    document = _build(invented.NEW)
    assert document.download.last is None
    assert document.unmeasured == []
    assert document.availability.ratio is None
    assert document.runs_count == 0


def test_the_period_begins_at_local_midnight_and_ends_now() -> None:
    period = last_days(datetime(2026, 11, 22, 20, 30, tzinfo=UTC), ZoneInfo("Asia/Almaty"))
    assert period.since == datetime(2026, 10, 24, 19, 0, tzinfo=UTC)
    assert period.until - period.since == timedelta(days=29, hours=1, minutes=30)


def test_the_look_up_of_a_platform_is_not_taken_for_that_of_the_path() -> None:
    assert Metric.DNS_LOOKUP_MS not in _build(invented.MET).last_values
    assert _build(invented.MET).platforms != ()
