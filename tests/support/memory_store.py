"""A store in memory: the protocol's promises in the fewest words, for tests that need no disk."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.sla.percentile import percentile
from mektep_collector.store.one_engine import of_one_engine
from mektep_collector.store.planned import AUDITED, belongs
from mektep_collector.store.store import AuditTrace, DaySummary, Period, Trace
from mektep_wire import Metric, Outcome, ProbeName


class MemoryStore:
    """A `Store` that forgets everything with the test."""

    def __init__(self, zone_of: Callable[[str], ZoneInfo]) -> None:
        self._zone_of = zone_of
        self._kept: list[Accepted] = []
        self._position = 0

    def position(self) -> int:
        return self._position

    def put(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.position > self._position:
                self._kept.extend(entry.accepted)
                self._position = entry.position

    def latest(self, school_ids: Sequence[str] | None = None) -> Sequence[Accepted]:
        newest: dict[tuple[str, object, object], Accepted] = {}
        for accepted in self._trusted():
            if school_ids is None or accepted.school_id in school_ids:
                key = (accepted.school_id, accepted.reading.probe, accepted.reading.direction)
                if key not in newest or newest[key].at <= accepted.at:
                    newest[key] = accepted
        return list(newest.values())

    def readings(self, school_id: str, period: Period, probe: ProbeName | None = None) -> Sequence[Accepted]:
        return [
            accepted
            for accepted in self._trusted()
            if accepted.school_id == school_id
            and period.since <= accepted.at < period.until
            and probe in {None, accepted.reading.probe}
        ]

    def series(self, school_id: str, metric: Metric, period: Period) -> Sequence[Trace]:
        traces = [
            Trace(
                at=accepted.at,
                device_id=accepted.device_id,
                engine=accepted.reading.engine,
                outcome=accepted.reading.outcome,
                origin=accepted.reading.origin,
                value=accepted.reading.values.get(metric) if accepted.reading.outcome is Outcome.OK else None,
                failure=accepted.reading.failure.kind if accepted.reading.failure is not None else None,
                skip=accepted.reading.skip,
            )
            for accepted in self.readings(school_id, period)
            if belongs(accepted.reading, metric)
        ]
        return of_one_engine(metric, traces)

    def days(self, metric: Metric, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[DaySummary]:
        by_day: dict[tuple[str, str], list[Trace]] = defaultdict(list)
        for school_id in {accepted.school_id for accepted in self._kept}:
            if school_ids is None or school_id in school_ids:
                for trace in self.series(school_id, metric, period):
                    local = trace.at.astimezone(self._zone_of(school_id)).date()
                    by_day[school_id, local.isoformat()].append(trace)
        return [_summary(school_id, day, traces) for (school_id, day), traces in sorted(by_day.items())]

    def audits(self, period: Period, school_ids: Sequence[str] | None = None) -> Sequence[AuditTrace]:
        found = []
        for accepted in self._trusted():
            reading = accepted.reading
            if reading.direction is None or reading.outcome is not Outcome.OK:
                continue
            figures = [reading.values.get(metric) for metric in AUDITED[reading.direction]]
            is_wanted = school_ids is None or accepted.school_id in school_ids
            if is_wanted and period.since <= accepted.at < period.until and None not in figures:
                shortened, full_length = figures
                assert shortened is not None
                assert full_length is not None
                found.append(
                    AuditTrace(
                        at=accepted.at,
                        school_id=accepted.school_id,
                        device_id=accepted.device_id,
                        direction=reading.direction,
                        engine=reading.engine,
                        shortened_mbps=shortened,
                        full_length_mbps=full_length,
                    )
                )
        return sorted(found, key=lambda audit: audit.school_id)

    def count(self) -> int:
        return len(self._kept)

    def count_quarantined(self) -> int:
        return len(self._kept) - len(self._trusted())

    def close(self) -> None:
        self._kept.clear()

    def _trusted(self) -> list[Accepted]:
        trusted = [accepted for accepted in self._kept if accepted.time_method is not TimeMethod.QUARANTINED]
        return sorted(trusted, key=lambda accepted: accepted.at)


def _summary(school_id: str, day: str, traces: Sequence[Trace]) -> DaySummary:
    values = [trace.value for trace in traces if trace.value is not None]
    outcomes = [trace.outcome for trace in traces]
    return DaySummary(
        school_id=school_id,
        day=day,
        ok_count=outcomes.count(Outcome.OK),
        failed_count=outcomes.count(Outcome.FAILED),
        skipped_count=outcomes.count(Outcome.SKIPPED),
        median=percentile(values, 0.5) if values else None,
        p10=percentile(values, 0.1) if values else None,
        p90=percentile(values, 0.9) if values else None,
    )
