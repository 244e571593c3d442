"""Audits of shortened tests: by how much they missed, and whether a device made just those that were drawn. Pure.

An audit is one transfer of full length with two figures: what the shortened test would have said, and what the whole
said. Its error is the first over the second, less one. So errors are of the method on this school's own line, and not
of two tests of which each met another minute of it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from mektep_collector.sla.percentile import median, percentile
from mektep_wire import Metric, Outcome, ProbeName, Reading, StopReason, Trigger, is_audit

AUDIT_DAYS_COUNT = 90
"""Days of audits that an error is stated over: a quarter has about a dozen with four tests a school day."""
ADOPTION = timedelta(minutes=10)
"""So long after a device fetched its terms, a run that was on its way by the old ones may still come."""

_FULL_LENGTH_METHOD = "full_length/"
_FULL_LENGTH = {Metric.DOWNLOAD_FULL_LENGTH_MBPS, Metric.UPLOAD_FULL_LENGTH_MBPS}
_CUT = {StopReason.BYTE_CAP, StopReason.CONNECTION_LOST, StopReason.SERVER_CLOSED}


class AuditPair(msgspec.Struct, frozen=True, kw_only=True):
    """Both figures of one audit, made at the collector's time `at`."""

    at: datetime
    shortened_mbps: float
    full_length_mbps: float


class ShortcutError(msgspec.Struct, frozen=True, kw_only=True):
    """By how much shortened tests missed, as shares: the median with its sign, sizes without, and the newest audit."""

    audits_count: int
    median_error_ratio: float
    p95_abs_error_ratio: float
    last_error_ratio: float
    last_at: datetime


class AuditTerms(msgspec.Struct, frozen=True, kw_only=True):
    """By what a device draws its audits, since it fetched these terms."""

    seed: bytes
    ratio: float
    since: datetime


class AuditVerdict(StrEnum):
    """What the collector found when it drew a device's audits itself."""

    AS_DRAWN = "as_drawn"
    MISSING = "missing"
    """Runs that were drawn gave a shortened figure alone."""
    TOO_MANY = "too_many"
    """Runs that were not drawn came as audits."""
    MISSING_AND_TOO_MANY = "missing_and_too_many"
    NOT_CHECKED = "not_checked"
    """No run of a slot has come since the device fetched its terms."""


class DeviceAudits(msgspec.Struct, frozen=True, kw_only=True):
    """Slots of one device: how many were run, drawn among them, made as audits, missing and too many."""

    device_id: str
    slots_count: int
    drawn_count: int
    made_count: int
    missing_count: int
    extra_count: int

    @property
    def verdict(self) -> AuditVerdict:
        """What there is to say."""
        if not self.slots_count:
            return AuditVerdict.NOT_CHECKED
        if self.missing_count:
            return AuditVerdict.MISSING_AND_TOO_MANY if self.extra_count else AuditVerdict.MISSING
        return AuditVerdict.TOO_MANY if self.extra_count else AuditVerdict.AS_DRAWN


def shortcut_error(pairs: Iterable[AuditPair]) -> ShortcutError | None:
    """Return the error over audits of one direction and engine, None without any that has a rate to compare with."""
    compared = sorted((pair for pair in pairs if pair.full_length_mbps > 0), key=lambda pair: pair.at)
    if not compared:
        return None
    errors = [pair.shortened_mbps / pair.full_length_mbps - 1.0 for pair in compared]
    return ShortcutError(
        audits_count=len(errors),
        median_error_ratio=median(errors),
        p95_abs_error_ratio=percentile([abs(error) for error in errors], 0.95),
        last_error_ratio=errors[-1],
        last_at=compared[-1].at,
    )


def expected_audits(terms: AuditTerms, device_id: str, slots: Iterable[str]) -> frozenset[str]:
    """Return which of `slots` the device had to audit, if it ran them."""
    return frozenset(slot for slot in slots if is_audit(terms.seed, device_id, slot, terms.ratio))


def device_audits(device_id: str, terms: AuditTerms | None, runs: Iterable[tuple[datetime, Reading]]) -> DeviceAudits:
    """Return how a device kept to its draw, from its throughput readings with the collector's time of each.

    A drawn run that failed, was left out, or was cut by a cap or its server is none that is missing; one that ran to
    full length by itself had nothing to shorten. Nothing is checked before the device had its terms.
    """
    by_slot: dict[str, list[Reading]] = {}
    extra_count = 0
    for at, reading in runs:
        if terms is None or at < terms.since + ADOPTION or reading.probe is not ProbeName.THROUGHPUT:
            continue
        if reading.slot is not None:
            by_slot.setdefault(reading.slot, []).append(reading)
        elif reading.trigger is Trigger.AUDIT:
            extra_count += 1
    drawn = expected_audits(terms, device_id, by_slot) if terms is not None else frozenset()
    audits = {slot for slot, readings in by_slot.items() if any(_is_audit(reading) for reading in readings)}
    missing = {slot for slot in drawn if any(_is_lacking(reading) for reading in by_slot[slot])}
    return DeviceAudits(
        device_id=device_id,
        slots_count=sum(any(reading.outcome is Outcome.OK for reading in readings) for readings in by_slot.values()),
        drawn_count=len(drawn),
        made_count=len((audits & drawn) - missing),
        missing_count=len(missing),
        extra_count=len(audits - drawn) + extra_count,
    )


def _is_audit(reading: Reading) -> bool:
    return reading.trigger is Trigger.AUDIT


def _is_lacking(reading: Reading) -> bool:
    """Tell whether a reading of a drawn slot has a shortened figure and no other one, with no excuse."""
    if reading.outcome is not Outcome.OK or not _FULL_LENGTH.isdisjoint(reading.values):
        return False
    if (reading.method or "").startswith(_FULL_LENGTH_METHOD):
        return False
    return not (_is_audit(reading) and reading.stop_reason in _CUT)
