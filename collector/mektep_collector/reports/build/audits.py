"""What a school's audits say: by how much shortened tests missed, and whether devices made those that were drawn."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

import msgspec

from mektep_collector.journal.entry import Accepted
from mektep_collector.sla.audit import (
    AUDIT_DAYS_COUNT,
    AuditPair,
    AuditTerms,
    DeviceAudits,
    ShortcutError,
    device_audits,
    shortcut_error,
)
from mektep_collector.store.store import AuditTrace, Period, Store
from mektep_wire import Direction, Outcome, ProbeName, Reading

Terms = Mapping[str, AuditTerms]
"""By which terms each device draws its audits, by its id; a device that is not in it is not checked."""

NO_TERMS: Terms = MappingProxyType({})
_FULL_LENGTH_METHOD = "full_length/"


class Thoroughness(StrEnum):
    """How a device tests now, by its newest test with a result."""

    SHORTENED = "shortened"
    FULL_LENGTH = "full_length"
    UNKNOWN = "unknown"


class DeviceTests(msgspec.Struct, frozen=True, kw_only=True):
    """One device: how it tests, and how it kept to its draw."""

    length: Thoroughness
    audits: DeviceAudits


class ShortcutErrors(msgspec.Struct, frozen=True, kw_only=True):
    """By how much shortened tests missed in each direction; None where there was no audit."""

    download: ShortcutError | None = None
    upload: ShortcutError | None = None


class SchoolAudits(msgspec.Struct, frozen=True, kw_only=True):
    """The last `days_count` days of one school."""

    days_count: int
    errors: ShortcutErrors
    devices: Mapping[str, DeviceTests]


NO_ERRORS = ShortcutErrors()


def audit_period(now: datetime) -> Period:
    """Return the period that errors are stated over, up to, not with, `now`."""
    return Period(now - timedelta(days=AUDIT_DAYS_COUNT), now)


def errors_by_school(
    store: Store, now: datetime, school_ids: Sequence[str] | None = None
) -> Mapping[str, ShortcutErrors]:
    """Return the errors of each school with an audit, all schools when `school_ids` is None."""
    traces: dict[str, list[AuditTrace]] = defaultdict(list)
    for trace in store.audits(audit_period(now), school_ids):
        traces[trace.school_id].append(trace)
    return {school_id: _errors(found) for school_id, found in traces.items()}


def build_audits(store: Store, school_id: str, terms: Terms, now: datetime) -> SchoolAudits:
    """Return what the audits of a school say at the aware time `now`."""
    runs: dict[str, list[Accepted]] = defaultdict(list)
    for accepted in store.readings(school_id, audit_period(now), ProbeName.THROUGHPUT):
        runs[accepted.device_id].append(accepted)
    return SchoolAudits(
        days_count=AUDIT_DAYS_COUNT,
        errors=errors_by_school(store, now, [school_id]).get(school_id, NO_ERRORS),
        devices={
            device_id: DeviceTests(
                length=_length(accepted.reading for accepted in found),
                audits=device_audits(
                    device_id, terms.get(device_id), [(accepted.at, accepted.reading) for accepted in found]
                ),
            )
            for device_id, found in runs.items()
        },
    )


def _errors(traces: Sequence[AuditTrace]) -> ShortcutErrors:
    return ShortcutErrors(
        download=_error([trace for trace in traces if trace.direction is Direction.DOWNLOAD]),
        upload=_error([trace for trace in traces if trace.direction is Direction.UPLOAD]),
    )


def _error(traces: Sequence[AuditTrace]) -> ShortcutError | None:
    """Return the error by the engine of the newest audit: engines are never mixed."""
    return shortcut_error(
        AuditPair(at=trace.at, shortened_mbps=trace.shortened_mbps, full_length_mbps=trace.full_length_mbps)
        for trace in traces
        if trace.engine is traces[-1].engine
    )


def _length(readings: Iterable[Reading]) -> Thoroughness:
    """Return how the newest test with a result was made; a device may have shortened tests in one direction alone."""
    methods: dict[Direction | None, str] = {}
    for reading in readings:
        if reading.outcome is Outcome.OK and reading.method is not None:
            methods[reading.direction] = reading.method
    if not methods:
        return Thoroughness.UNKNOWN
    is_whole = any(method.startswith(_FULL_LENGTH_METHOD) for method in methods.values())
    return Thoroughness.FULL_LENGTH if is_whole else Thoroughness.SHORTENED
