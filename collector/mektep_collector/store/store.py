"""The store's protocol: readings as time series, fed from the journal, the same answers from every implementation.

Times are aware and in UTC; a period is [since, until). Every summary says on how many readings it rests. Quarantined
readings are in `count` and `count_quarantined` and in no other answer. A series and a summary rest on one engine
(`one_engine.py`). A local day is of the school's own time zone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from mektep_collector.journal.entry import Accepted, Entry
from mektep_wire import Direction, EngineName, FailureKind, Metric, Origin, Outcome, ProbeName, SkipReason


class Period(msgspec.Struct, frozen=True):
    """From `since` up to, not with, `until`; both aware."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins, or a time without a zone."""
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("a period's times carry their zone")
        if self.since > self.until:
            raise ValueError(f"a period cannot end ({self.until}) before it begins ({self.since})")


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One run as a point of a series: its value of one metric, or why it has none."""

    at: datetime
    device_id: str
    engine: EngineName
    outcome: Outcome
    origin: Origin
    value: float | None
    failure: FailureKind | None = None
    skip: SkipReason | None = None


class DaySummary(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one school on one local day: counts of runs, order statistics of the good ones' values."""

    school_id: str
    day: str
    ok_count: int
    failed_count: int
    skipped_count: int
    median: float | None
    p10: float | None
    p90: float | None


class AuditTrace(msgspec.Struct, frozen=True, kw_only=True):
    """One audit: a throughput run with both figures of one transfer."""

    at: datetime
    school_id: str
    device_id: str
    direction: Direction
    engine: EngineName
    shortened_mbps: float
    full_length_mbps: float


class Store(Protocol):
    """Readings of all schools. Implementations are safe for one feeding thread beside many reading ones."""

    def position(self) -> int:
        """Return the journal position up to which this store has taken in, 0 for none."""
        ...

    def put(self, entries: Sequence[Entry]) -> None:
        """Take in entries in the order of the journal, and the position with them, in one step: all or nothing.

        Entries at or below `position()` are passed over, so a replay changes nothing.
        """
        ...

    def latest(self, school_ids: Sequence[str] | None = None) -> Sequence[Accepted]:
        """Return each school's newest reading of each (probe, direction), all schools when None, by school and kind.

        Failed and skipped runs count as newest too; of several of one microsecond it is one of them. Kinds are in the
        vocabulary's order.
        """
        ...

    def readings(self, school_id: str, period: Period, probe: ProbeName | None = None) -> Sequence[Accepted]:
        """Return a school's readings of a period in order of time, as far as they are kept whole."""
        ...

    def series(self, school_id: str, metric: Metric, period: Period) -> Sequence[Trace]:
        """Return the runs that measured, or should have measured, `metric`, in order of time."""
        ...

    def days(self, metric: Metric, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[DaySummary]:
        """Return a row for each school and local day with at least one run, ordered by school and day."""
        ...

    def audits(self, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[AuditTrace]:
        """Return the good runs that state a throughput and a full-length figure, by school and in order of time."""
        ...

    def count(self) -> int:
        """Return how many readings the store has taken in, quarantined ones too, also such as are kept no longer."""
        ...

    def count_quarantined(self) -> int:
        """Return how many readings are held without a time that can be trusted."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Further calls are a bug."""
        ...
