"""A run as every store reads it back: what one metric's series needs, in the words that it was kept in."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from mektep_collector.journal.correction import from_us
from mektep_collector.store.planned import Plan
from mektep_collector.store.store import Trace
from mektep_wire import EngineName, FailureKind, Origin, Outcome, SkipReason

OK = Outcome.OK.value
Membership = Callable[[str, str, float | None], bool]
"""Tells, of engine, outcome and value of a run of a plan's kind, whether it is of the series."""


class Run(NamedTuple):
    """One run; `cause` is the failure's kind or the reason of a skip. Runs sort by time and then as they came."""

    at_us: int
    position: int
    item: int
    device_id: str
    engine: str
    outcome: str
    origin: str
    cause: str | None
    value: float | None


def member_of(plan: Plan) -> Membership:
    """Return what tells whether a run of the plan's kind is of the series."""
    covered = {engine.value for engine in EngineName if plan.covers(engine)}

    def is_member(engine: str, outcome: str, value: float | None) -> bool:
        return value is not None if outcome == OK else engine in covered

    return is_member


def traces_of(runs: Iterable[Run]) -> list[Trace]:
    """Return the runs, which are in order, as the store's protocol tells them."""
    return [
        Trace(
            at=from_us(run.at_us),
            device_id=run.device_id,
            engine=EngineName(run.engine),
            outcome=Outcome(run.outcome),
            origin=Origin(run.origin),
            value=run.value,
            failure=FailureKind(run.cause) if run.cause is not None and run.outcome == Outcome.FAILED else None,
            skip=SkipReason(run.cause) if run.cause is not None and run.outcome == Outcome.SKIPPED else None,
        )
        for run in runs
    ]
