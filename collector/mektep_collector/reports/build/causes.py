"""Why a school's runs were slow or failed, as its agents found: each run with its cause, and how often each was it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from mektep_collector.journal.entry import Accepted
from mektep_wire import Cause, CauseReason, Direction, ExpectedFrom, Metric, Outcome, ProbeName

_VALUE = {
    Direction.DOWNLOAD: Metric.DOWNLOAD_THROUGHPUT_MBPS,
    Direction.UPLOAD: Metric.UPLOAD_THROUGHPUT_MBPS,
}


class CauseRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run that was slow (`value_mbps` against `expected_mbps`) or failed (without a value)."""

    at: datetime
    probe: ProbeName
    direction: Direction | None
    value_mbps: float | None
    expected_mbps: float | None
    expected_from: ExpectedFrom | None
    cause: Cause
    reason: CauseReason


class CauseCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many slow and how many failed runs of the period are put down to a cause."""

    cause: Cause
    slow_count: int
    failed_count: int


class SchoolCauses(msgspec.Struct, frozen=True, kw_only=True):
    """Every run with a cause, newest first, and the causes, most frequent first."""

    rows: Sequence[CauseRow] = ()
    counts: Sequence[CauseCount] = ()


def build_causes(readings: Iterable[Accepted]) -> SchoolCauses:
    """Return the causes of the readings of a period, which come in order of time."""
    rows = [row for accepted in readings if (row := _row(accepted)) is not None]
    slow = Counter(row.cause for row in rows if row.value_mbps is not None)
    failed = Counter(row.cause for row in rows if row.value_mbps is None)
    counts = [CauseCount(cause=cause, slow_count=slow[cause], failed_count=failed[cause]) for cause in slow | failed]
    return SchoolCauses(
        rows=rows[::-1],
        counts=sorted(counts, key=lambda one: (-one.slow_count - one.failed_count, one.cause)),
    )


def _row(accepted: Accepted) -> CauseRow | None:
    reading = accepted.reading
    if reading.diagnosis is None:
        return None
    is_slow = reading.outcome is Outcome.OK and reading.direction is not None
    evidence = reading.diagnosis.evidence
    return CauseRow(
        at=accepted.at,
        probe=reading.probe,
        direction=reading.direction,
        value_mbps=reading.values.get(_VALUE[reading.direction]) if is_slow and reading.direction is not None else None,
        expected_mbps=evidence.expected_mbps,
        expected_from=evidence.expected_from,
        cause=reading.diagnosis.cause,
        reason=reading.diagnosis.reason,
    )
