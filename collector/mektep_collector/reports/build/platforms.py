"""The learning platforms of one school: how each stands now, and on which share of looks it could be used."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from mektep_collector.journal.entry import Accepted
from mektep_collector.reports.build.learning import Learning
from mektep_collector.reports.build.line_signs import signs_of
from mektep_collector.sla.platform import (
    NEAR,
    Look,
    PlatformAvailability,
    PlatformState,
    Sign,
    availability_of,
    judge,
)
from mektep_collector.store.local_day import LocalDays
from mektep_wire import FailureKind, Metric, Outcome, ProbeName, Reading

STEPS = (
    Metric.DNS_LOOKUP_MS,
    Metric.TCP_CONNECT_MS,
    Metric.TLS_HANDSHAKE_MS,
    Metric.SMALL_OBJECT_MS,
)
"""The steps that add up to what a person waits for; the first byte is within the last."""


class PlatformDay(msgspec.Struct, frozen=True, kw_only=True):
    """One local day with at least one look."""

    day: str
    availability: PlatformAvailability


class JudgedLook(msgspec.Struct, frozen=True, kw_only=True):
    """One look and what it shows. `steps_ms` holds the times of a page that came; `detail` is the agent's own words."""

    at: datetime
    state: PlatformState
    total_ms: float | None
    steps_ms: dict[Metric, float]
    method: str | None
    failure: FailureKind | None
    detail: str


class PlatformRow(msgspec.Struct, frozen=True, kw_only=True):
    """One platform. `last` is the newest look that was made, `last_good` the newest at which its page came.

    The availability counts every look of the period; looks are made in school hours only.
    """

    name: str
    target: str
    last: JudgedLook | None
    last_good: JudgedLook | None
    availability: PlatformAvailability
    days: Sequence[PlatformDay]


def build_platforms(readings: Sequence[Accepted], learning: Learning, zone: ZoneInfo) -> Sequence[PlatformRow]:
    """Return a row for each platform of the operator's list, then for each other one that was looked at.

    `readings` are all of one school's readings of the period, of every probe, in order of time.
    """
    made = [
        accepted
        for accepted in readings
        if accepted.reading.probe is ProbeName.PLATFORM
        and accepted.reading.outcome is not Outcome.SKIPPED
        and accepted.reading.target.startswith("https://")
    ]
    looks = [_look(accepted) for accepted in made]
    times = [look.at for look in looks]
    signs = _Signs(signs_of(readings))
    judged: dict[str, list[JudgedLook]] = {platform.url: [] for platform in learning.platforms}
    for accepted, look in zip(made, looks, strict=True):
        around = looks[bisect_left(times, look.at - NEAR) : bisect_right(times, look.at + NEAR)]
        state = judge(look, around, signs.around(look.at), learning.slow_after_ms)
        judged.setdefault(look.target, []).append(_judged(accepted, look, state))
    names = {platform.url: platform.name for platform in learning.platforms}
    return [_row(names.get(target) or _host(target), target, of_target, zone) for target, of_target in judged.items()]


class _Signs:
    """Signs by time; the few that last are looked at each time."""

    def __init__(self, signs: Sequence[Sign]) -> None:
        self._lasting = [sign for sign in signs if sign.until > sign.at]
        self._moments = [sign for sign in signs if sign.until == sign.at]
        self._times = [sign.at for sign in self._moments]

    def around(self, at: datetime) -> list[Sign]:
        begin, end = bisect_left(self._times, at - NEAR), bisect_right(self._times, at + NEAR)
        lasting = [sign for sign in self._lasting if sign.at - NEAR <= at <= sign.until + NEAR]
        return lasting + self._moments[begin:end]


def total_ms(reading: Reading) -> float | None:
    """Return how long a page took in all; None where it did not come."""
    if reading.outcome is not Outcome.OK or Metric.SMALL_OBJECT_MS not in reading.values:
        return None
    return sum(reading.values.get(step, 0.0) for step in STEPS)


def _look(accepted: Accepted) -> Look:
    reading = accepted.reading
    failure = reading.failure.kind if reading.failure is not None else None
    return Look(at=accepted.at, target=reading.target, total_ms=total_ms(reading), failure=failure)


def _judged(accepted: Accepted, look: Look, state: PlatformState) -> JudgedLook:
    reading = accepted.reading
    return JudgedLook(
        at=look.at,
        state=state,
        total_ms=look.total_ms,
        steps_ms={metric: reading.values[metric] for metric in (*STEPS, Metric.TTFB_MS) if metric in reading.values},
        method=reading.method,
        failure=look.failure,
        detail=reading.failure.detail if reading.failure is not None else "",
    )


def _row(name: str, target: str, looks: Sequence[JudgedLook], zone: ZoneInfo) -> PlatformRow:
    good = [look for look in looks if look.total_ms is not None]
    by_day: dict[str, list[PlatformState]] = {}
    days = LocalDays(zone)
    for look in looks:
        by_day.setdefault(days.day(look.at), []).append(look.state)
    return PlatformRow(
        name=name,
        target=target,
        last=looks[-1] if looks else None,
        last_good=good[-1] if good else None,
        availability=availability_of(look.state for look in looks),
        days=[PlatformDay(day=day, availability=availability_of(states)) for day, states in by_day.items()],
    )


def _host(target: str) -> str:
    return urlsplit(target).hostname or target
