"""What a school's document and the fleet's say of audits, from readings as devices send them."""

from datetime import timedelta

import msgspec
import pytest

from mektep_collector.journal.entry import Accepted
from mektep_collector.reports.build.audits import SchoolAudits, Thoroughness, build_audits
from mektep_collector.reports.build.fleet import build_fleet
from mektep_collector.reports.build.school import build_school
from mektep_collector.sla.audit import AuditVerdict
from mektep_wire import Direction, EngineName, Metric, Trigger
from tests.support import invented_schools as invented
from tests.support.audited_runs import DEVICE, TERMS, slot_runs, store_of


def audits_of(*batches: list[Accepted]) -> SchoolAudits:
    return build_audits(store_of(*batches), invented.MET.id, {DEVICE.id: TERMS}, invented.NOW)


def test_the_error_stands_in_the_document_of_the_school_and_in_the_fleets_row() -> None:
    store = store_of(list(slot_runs(30, 0.02)))
    document = build_school(invented.MET, [DEVICE], store, invented.NOW, terms={DEVICE.id: TERMS})
    error = document.audits.errors.download
    assert error is not None
    assert error.median_error_ratio == pytest.approx(0.02)
    assert error.p95_abs_error_ratio == pytest.approx(0.02)
    (tests,) = document.audits.devices.values()
    assert tests.audits.verdict is AuditVerdict.AS_DRAWN
    assert error.audits_count == tests.audits.drawn_count == tests.audits.made_count > 10
    assert tests.length is Thoroughness.SHORTENED
    row, other = build_fleet([invented.MET, invented.NEW], [DEVICE], store, invented.NOW).rows
    assert row.shortcut == document.audits.errors
    assert (other.shortcut.download, other.shortcut.upload) == (None, None)
    assert msgspec.json.decode(msgspec.json.encode(document))["audits"]["errors"]["download"]["audits_count"] > 10


def test_a_device_that_hides_its_audits_is_told_from_one_that_was_not_asked() -> None:
    hidden = [
        msgspec.structs.replace(
            one,
            reading=msgspec.structs.replace(
                one.reading,
                trigger=Trigger.SLOT,
                values={metric: value for metric, value in one.reading.values.items() if "full_length" not in metric},
            ),
        )
        for one in slot_runs(30, 0.02)
    ]
    (tests,) = audits_of(hidden).devices.values()
    assert tests.audits.verdict is AuditVerdict.MISSING
    assert tests.audits.missing_count == tests.audits.drawn_count
    (unasked,) = build_audits(store_of(hidden), invented.MET.id, {}, invented.NOW).devices.values()
    assert unasked.audits.verdict is AuditVerdict.NOT_CHECKED


def test_a_device_that_fell_back_says_so_and_adds_no_error() -> None:
    whole = list(slot_runs(30, 0.0, "full_length/2"))
    found = audits_of(whole)
    (tests,) = found.devices.values()
    assert (tests.length, tests.audits.verdict) == (Thoroughness.FULL_LENGTH, AuditVerdict.AS_DRAWN)
    assert (found.errors.download, found.errors.upload) == (None, None)


def test_engines_are_never_mixed() -> None:
    ndt7 = list(slot_runs(30, 0.02))
    higher = {Metric.DOWNLOAD_THROUGHPUT_MBPS: 60.0}
    other = [
        msgspec.structs.replace(one, at=one.at - timedelta(days=20), reading=msgspec.structs.replace(
            one.reading, engine=EngineName.LIBRESPEED, values={**one.reading.values, **higher}
        )) for one in ndt7 if one.reading.direction is Direction.DOWNLOAD
    ]  # fmt: skip
    assert audits_of(other, ndt7).errors.download == audits_of(ndt7).errors.download


def test_a_school_without_tests_has_no_audits() -> None:
    found = audits_of()
    assert (found.errors.download, found.errors.upload, dict(found.devices)) == (None, None, {})
