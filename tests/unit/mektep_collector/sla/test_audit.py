"""The shortcut's error, and a device held to its draw: for every device that keeps to it, and each way not to."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.audit import (
    ADOPTION,
    AuditPair,
    AuditTerms,
    AuditVerdict,
    device_audits,
    expected_audits,
    shortcut_error,
)
from mektep_wire import Direction, Metric, Outcome, Reading, SkipReason, StopReason, Trigger, is_audit
from tests.support.school_device import SchoolDevice

DEVICE = SchoolDevice()
ID = DEVICE.record.id
BEGIN = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
TERMS = AuditTerms(seed=bytes(range(16)), ratio=0.05, since=BEGIN - ADOPTION)
SLOTS = [f"{date(2026, 9, 1) + timedelta(days=day)}/{number}" for day in range(60) for number in range(1, 5)]
DRAWN = sorted(expected_audits(TERMS, ID, SLOTS))
Run = tuple[datetime, Reading]


def run(slot: str | None, **changes: object) -> Run:
    reading = msgspec.structs.replace(
        DEVICE.reading(6), slot=slot, method="frugal/1", stop_reason=StopReason.CONVERGED, **changes
    )
    return BEGIN + timedelta(hours=1), reading


def audit(slot: str | None, **changes: object) -> Run:
    at, reading = run(slot)
    values = {**reading.values, Metric.DOWNLOAD_FULL_LENGTH_MBPS: 20.0}
    facts = {"trigger": Trigger.AUDIT, "values": values, "stop_reason": StopReason.FULL_LENGTH, **changes}
    return at, msgspec.structs.replace(reading, **facts)


def honest(slots: Sequence[str]) -> list[Run]:
    """Return the runs of a device that keeps to its draw."""
    return [audit(slot) if is_audit(TERMS.seed, ID, slot, TERMS.ratio) else run(slot) for slot in slots]


def test_there_is_something_to_draw() -> None:
    assert 5 < len(DRAWN) < 25


@given(st.lists(st.sampled_from(SLOTS), unique=True))
def test_a_device_that_keeps_to_its_draw_is_never_accused(slots: list[str]) -> None:
    found = device_audits(ID, TERMS, honest(slots))
    assert found.verdict is (AuditVerdict.AS_DRAWN if slots else AuditVerdict.NOT_CHECKED)
    assert (found.slots_count, found.missing_count, found.extra_count) == (len(slots), 0, 0)
    assert found.made_count == found.drawn_count == len(set(slots) & set(DRAWN))


@given(st.lists(st.sampled_from(SLOTS), unique=True, min_size=1), st.data())
def test_each_audit_that_lacks_and_each_too_many_is_counted(slots: list[str], data: st.DataObject) -> None:
    left_out = data.draw(st.sets(st.sampled_from(DRAWN)).map(lambda drawn: drawn & set(slots)))
    added = data.draw(st.sets(st.sampled_from(slots))) - set(DRAWN)
    runs = [run(slot) if slot in left_out else audit(slot) if slot in added else one
            for slot, one in zip(slots, honest(slots), strict=True)]  # fmt: skip
    found = device_audits(ID, TERMS, runs)
    assert (found.missing_count, found.extra_count) == (len(left_out), len(added))
    assert (found.verdict is AuditVerdict.AS_DRAWN) is not bool(left_out or added)


@pytest.mark.parametrize("excused", [
    run(DRAWN[0], outcome=Outcome.SKIPPED, skip=SkipReason.DATA_BUDGET, values={}, sample_counts={}),
    (BEGIN + timedelta(hours=1), msgspec.structs.replace(DEVICE.reading(6, outcome=Outcome.FAILED), slot=DRAWN[0])),
    audit(DRAWN[0], values={}, sample_counts={}, stop_reason=StopReason.BYTE_CAP),
    audit(DRAWN[0], values={}, sample_counts={}, stop_reason=StopReason.CONNECTION_LOST),
])  # fmt: skip
def test_a_run_that_could_not_be_whole_is_not_missing(excused: Run) -> None:
    assert device_audits(ID, TERMS, [excused]).missing_count == 0


def test_a_device_that_tests_at_full_length_anyway_has_nothing_to_audit() -> None:
    at, reading = run(DRAWN[0])
    whole = msgspec.structs.replace(reading, method="full_length/2", stop_reason=StopReason.FULL_LENGTH)
    assert device_audits(ID, TERMS, [(at, whole)]).verdict is AuditVerdict.AS_DRAWN


def test_one_direction_that_lacks_is_a_slot_that_lacks() -> None:
    at, up = run(DRAWN[0])
    up = msgspec.structs.replace(up, direction=Direction.UPLOAD)
    found = device_audits(ID, TERMS, [audit(DRAWN[0]), (at, up)])
    assert (found.missing_count, found.made_count, found.verdict) == (1, 0, AuditVerdict.MISSING)


def test_an_audit_of_no_slot_is_one_too_many_and_a_persons_own_test_is_none() -> None:
    assert device_audits(ID, TERMS, [run(SLOTS[0]), audit(None)]).verdict is AuditVerdict.TOO_MANY
    assert device_audits(ID, TERMS, [audit(None, trigger=Trigger.STARTUP)]).verdict is AuditVerdict.NOT_CHECKED


def test_nothing_is_checked_before_the_device_had_its_terms() -> None:
    later = msgspec.structs.replace(TERMS, since=BEGIN + timedelta(hours=1) - ADOPTION + timedelta(seconds=1))
    for terms in (None, later):
        found = device_audits(ID, terms, [run(slot) for slot in DRAWN])
        assert found.verdict is AuditVerdict.NOT_CHECKED


def pair(hour: int, shortened_mbps: float, full_length_mbps: float = 20.0) -> AuditPair:
    return AuditPair(at=BEGIN + timedelta(hours=hour), shortened_mbps=shortened_mbps, full_length_mbps=full_length_mbps)


def test_the_error_can_be_checked_by_hand() -> None:
    found = shortcut_error([pair(3, 19.0), pair(1, 20.2), pair(2, 20.0), pair(4, 60.0, 0.0)])
    assert found is not None
    assert (found.audits_count, found.last_at) == (3, BEGIN + timedelta(hours=3))
    assert (found.median_error_ratio, found.last_error_ratio) == pytest.approx((0.0, -0.05))
    assert found.p95_abs_error_ratio == pytest.approx(0.01 + 0.9 * 0.04)
    assert shortcut_error([]) is None


pairs = st.lists(st.builds(pair, st.integers(0, 2_000), st.floats(0.1, 1e4), st.floats(0.1, 1e4)), min_size=1)


@given(pairs, st.floats(0.01, 100.0))
def test_the_error_has_no_unit_and_no_order(audits: list[AuditPair], scale: float) -> None:
    found, other = shortcut_error(audits), shortcut_error([
        AuditPair(at=one.at, shortened_mbps=one.shortened_mbps * scale, full_length_mbps=one.full_length_mbps * scale)
        for one in sorted(audits, key=lambda one: one.at)
    ])  # fmt: skip
    assert found is not None
    assert other is not None
    assert other.median_error_ratio == pytest.approx(found.median_error_ratio, abs=1e-6)
    assert other.p95_abs_error_ratio == pytest.approx(found.p95_abs_error_ratio, abs=1e-6)
