"""The fleet's document: one row a school, failures as failures, n beside every number."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec

from mektep_collector.reports.build.fleet import FleetDocument, build_fleet, summarise
from mektep_collector.reports.build.school import build_school
from mektep_collector.sla.freshness import Freshness
from mektep_collector.sla.verdict import Verdict
from mektep_wire import FailureKind, Origin, Outcome
from tests.support import invented_schools as invented
from tests.support.memory_store import MemoryStore


def _store() -> MemoryStore:
    store = MemoryStore(lambda school_id: ZoneInfo("Asia/Almaty"))
    store.put(invented.entries())
    return store


def _fleet() -> FleetDocument:
    return build_fleet(invented.SCHOOLS, invented.DEVICES, _store(), invented.NOW)


ROWS = {row.school_id: row for row in _fleet().rows}


def test_every_school_of_the_register_has_its_row_in_its_order() -> None:
    assert [row.school_id for row in _fleet().rows] == [school.id for school in invented.SCHOOLS]


def test_verdicts_follow_the_norm_and_the_contract() -> None:
    assert ROWS[invented.MET.id].download.verdict is Verdict.MEETS
    assert ROWS[invented.BELOW.id].download.verdict is Verdict.BELOW_BOTH
    assert ROWS[invented.SHORT.id].download.verdict is Verdict.BELOW_BOTH
    assert ROWS[invented.HOSTILE.id].download.verdict is Verdict.INSUFFICIENT_DATA
    assert ROWS[invented.HOSTILE.id].download.last_verdict is Verdict.MEETS
    assert ROWS[invented.NEW.id].download.verdict is Verdict.NO_DATA


def test_a_school_whose_tests_all_fail_has_failures_and_no_speed() -> None:
    row = ROWS[invented.FAILING.id]
    assert row.download.verdict is Verdict.ALL_FAILED
    assert row.download.median_mbps is None
    assert row.download.last is not None
    assert (row.download.last.outcome, row.download.last.value) == (Outcome.FAILED, None)
    assert row.download.last.failure is FailureKind.CAPTIVE_PORTAL
    assert (row.availability.ok_count, row.availability.failed_count) == (0, 24)


def test_skipped_runs_lower_no_availability() -> None:
    row = ROWS[invented.MET.id]
    assert row.download.skipped_count > 0
    assert row.availability.runs_count >= row.download.ok_count + row.download.failed_count
    assert row.download.ok_count + row.download.failed_count + row.download.skipped_count <= 30 * 4


def test_silence_and_newness_are_told_apart() -> None:
    assert ROWS[invented.SILENT.id].freshness is Freshness.SILENT
    assert ROWS[invented.NEW.id].freshness is Freshness.NEVER
    assert ROWS[invented.NEW.id].devices_count == 0
    assert ROWS[invented.MET.id].freshness is Freshness.LIVE


def test_simulated_data_is_marked() -> None:
    assert ROWS[invented.SIMULATED.id].origin is Origin.SIMULATED
    assert ROWS[invented.MET.id].origin is Origin.MEASURED
    assert summarise(ROWS.values()).simulated_count == 1


def test_a_simulated_computer_marks_its_school_before_its_first_reading_comes() -> None:
    computer = msgspec.structs.replace(invented.device(invented.NEW), origin=Origin.SIMULATED)
    (row,) = build_fleet([invented.NEW], [computer], _store(), invented.NOW).rows
    page = build_school(invented.NEW, [computer], _store(), invented.NOW)
    assert (row.freshness, page.runs_count) == (Freshness.NEVER, 0)
    assert row.origin is page.origin is Origin.SIMULATED


def test_readings_mark_their_school_whatever_the_register_says_of_its_computers() -> None:
    (row,) = build_fleet([invented.SIMULATED], [], _store(), invented.NOW).rows
    page = build_school(invented.SIMULATED, [], _store(), invented.NOW)
    assert row.origin is page.origin is Origin.SIMULATED


def test_a_simulated_computer_of_another_school_marks_nothing() -> None:
    other = msgspec.structs.replace(invented.device(invented.SIMULATED), origin=Origin.SIMULATED)
    page = build_school(invented.MET, [invented.device(invented.MET), other], _store(), invented.NOW)
    (row,) = build_fleet([invented.MET], [invented.device(invented.MET), other], _store(), invented.NOW).rows
    assert row.origin is page.origin is Origin.MEASURED


def test_the_trend_has_a_place_for_each_local_day_and_gaps_where_nothing_was_measured() -> None:
    trend = ROWS[invented.SILENT.id].trend
    assert len(trend) == 30
    assert all(day.median_mbps is None for day in trend[-9:])
    assert any(day.median_mbps is not None for day in trend)


def test_the_list_and_the_page_of_a_school_state_the_same_figures() -> None:
    for school in invented.SCHOOLS:
        row, page = ROWS[school.id], build_school(school, invented.DEVICES, _store(), invented.NOW)
        assert (row.download.median_mbps, row.download.ok_count, row.download.verdict) == (
            page.download.median_mbps,
            page.download.ok_count,
            page.download.verdict,
        )
        assert (row.availability, row.freshness, row.norm) == (page.availability, page.freshness, page.norm)


def test_schools_of_other_time_zones_keep_their_own_days() -> None:
    far = invented.school(9, "Far school", time_zone="America/Argentina/Ushuaia")
    store = MemoryStore(lambda school_id: ZoneInfo("America/Argentina/Ushuaia" if school_id == far.id else "UTC"))
    fleet = build_fleet([far, invented.MET], [], store, invented.NOW)
    assert [len(row.trend) for row in fleet.rows] == [30, 30]


def test_only_schools_with_enough_tests_are_counted_as_met_or_not() -> None:
    summary = summarise(_fleet().rows)
    assert summary.schools_count == 8
    assert summary.judged_count == summary.norm_met_count + summary.below_norm_count
    assert (summary.live_count, summary.silent_count, summary.never_count) == (6, 1, 1)
    assert summary.norm_met_count == 3
    assert summary.below_norm_count == 2


def test_a_row_knows_the_time_of_its_newest_reading() -> None:
    at = ROWS[invented.HOSTILE.id].last_reading_at
    assert at == invented.NOW - timedelta(minutes=4)
