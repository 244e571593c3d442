"""Shortened tests with audits: which run is one, what each says, and what is learnt from it.

A run at a slot is an audit when the collector's seed draws it; its readings bear the trigger `audit`. The start-up
tests are audits until a link has had `FIRST_AUDITS_COUNT`, so that a new link is known within days. Where audits have
shown the shortcut to miss its promise, every test runs to full length, states the full-length figure under that
method's name, and is weighed as an audit until they agree again.
"""

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Self

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import Limits, StopRule
from mektep_agent.probes.audit.memory import NOTHING_LEARNT, Link, LinkMemory, LinkRecord
from mektep_agent.probes.audit.shortcut import Shortcut, Shortening
from mektep_agent.probes.manner import Figures, Transfer
from mektep_agent.probes.probe import Run
from mektep_agent.sample import ThroughputSample
from mektep_agent.statistics.replay import replay
from mektep_agent.statistics.throughput import FullLength
from mektep_agent.statistics.trust import Reliance, Trust, error_ratio, weigh
from mektep_wire import Assignment, Direction, StopReason, Trigger, is_audit

_LOG = logging.getLogger(__name__)
FIRST_AUDITS_COUNT: Final = 3
"""Until a link has had so many audits, tests at start-up are audits."""
WHOLE_SHARE: Final = 0.8
"""A transfer that its server closed is whole when it ran for this share of the longest time."""


class AuditTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What an assignment says of audits; without a `seed` none is drawn."""

    device_id: str
    seed: bytes | None
    ratio: float
    error_max_ratio: float

    @classmethod
    def of(cls, assignment: Assignment) -> Self:
        """Return the terms of an assignment."""
        return cls(
            device_id=assignment.device_id,
            seed=assignment.audit_seed,
            ratio=assignment.audit_ratio,
            error_max_ratio=assignment.shortcut_error_max_ratio,
        )

    def draw(self, trigger: Trigger, slot: str | None) -> bool:
        """Tell whether a run is drawn: only those at a slot are."""
        if trigger is not Trigger.SLOT or slot is None or self.seed is None:
            return False
        return is_audit(self.seed, self.device_id, slot, self.ratio)


class Part(StrEnum):
    """What a transfer is for."""

    SHORTENED = "shortened"
    AUDIT = "audit"
    FALLBACK = "fallback"


class AuditedTests:
    """Implements `Manner` for one target."""

    def __init__(
        self,
        shortcut: Shortcut,
        target: str,
        terms: AuditTerms,
        memory: LinkMemory,
        network: Callable[[], str],
        time: TimeSource,
        limits: Limits,
    ) -> None:
        self._shortcut = shortcut
        self._target = target
        self._terms = terms
        self._memory = memory
        self._network = network
        self._time = time
        self._limits = limits

    def plan(self, run: Run, direction: Direction) -> Transfer:
        """Return the transfer of one direction of a run, with what is known of its link by now."""
        record = self._record(Link(self._target, direction, self._network()))
        is_drawn = self._terms.draw(run.trigger, run.slot)
        is_first = run.trigger is Trigger.STARTUP and record.trust.audits_count < FIRST_AUDITS_COUNT
        part = Part.AUDIT if is_drawn or is_first else Part.SHORTENED
        if record.trust.reliance is Reliance.FULL_LENGTH:
            part = Part.FALLBACK
        return AuditedTransfer(
            part,
            Trigger.AUDIT if is_drawn else run.trigger,
            self._shortcut.recall(None if record.learnt == NOTHING_LEARNT else bytes(record.learnt)),
            self._limits,
            lambda learnt, error: self._learn(record, learnt, error),
        )

    def _record(self, link: Link) -> LinkRecord:
        known = self._memory.recall(link)
        if known is None or known.method != self._shortcut.method:
            return LinkRecord(link=link, method=self._shortcut.method, at=self._time.now())
        return known

    def _learn(self, record: LinkRecord, learnt: bytes, one_error_ratio: float) -> None:
        trust = weigh(record.trust, one_error_ratio, self._terms.error_max_ratio)
        if trust.reliance is not record.trust.reliance:
            _LOG.warning("reliance_changed", extra=_told(record.link, trust))
        self._memory.keep(msgspec.structs.replace(record, at=self._time.now(), learnt=msgspec.Raw(learnt), trust=trust))


class Unlearnt:
    """Implements `Manner` for one measurement that knows nothing of the line and remembers nothing.

    With `Part.AUDIT` it runs to full length and states both figures.
    """

    def __init__(self, shortcut: Shortcut, part: Part, limits: Limits) -> None:
        self._shortcut = shortcut
        self._part = part
        self._limits = limits

    def plan(self, run: Run, direction: Direction) -> Transfer:
        """Return the transfer of one direction."""
        return AuditedTransfer(self._part, run.trigger, self._shortcut.recall(None), self._limits, _forget)


def _forget(learnt: bytes, one_error_ratio: float) -> None:
    """Learn nothing: there is no next time."""


class AuditedTransfer:
    """Implements `Transfer`. `learn` is told what the method learnt of a whole transfer, and by how much it missed."""

    def __init__(
        self,
        part: Part,
        trigger: Trigger,
        shortening: Shortening,
        limits: Limits,
        learn: Callable[[bytes, float], None],
    ) -> None:
        self.part = part
        self.trigger = trigger
        self.stop: StopRule = shortening.stop if part is Part.SHORTENED else FullLength()
        self._shortening = shortening
        self._limits = limits
        self._learn = learn

    def settle(self, sample: ThroughputSample) -> Figures:
        """Return the figures, and learn from a whole transfer.

        One that was cut by a cap of bytes or by its server is no yardstick: what the method says of it is stated alone.
        """
        if self.part is Part.SHORTENED:
            return Figures(stated=self._shortening.throughput(sample))
        shortened = self._shortening.throughput(replay(sample, self._shortening.stop.decide))
        if not self._is_whole(sample):
            return Figures(stated=shortened)
        full_length = self._shortening.full_length(sample)
        self._learn(self._shortening.learnt_from(sample), error_ratio(shortened.value_mbps, full_length.value_mbps))
        if self.part is Part.FALLBACK:
            return Figures(stated=full_length)
        return Figures(stated=shortened, full_length=full_length)

    def _is_whole(self, sample: ThroughputSample) -> bool:
        if sample.stop_reason is StopReason.SERVER_CLOSED:
            return sample.duration_s >= WHOLE_SHARE * self._limits.max_duration_s
        return sample.stop_reason is StopReason.FULL_LENGTH


def _told(link: Link, trust: Trust) -> dict[str, object]:
    return {
        "target": link.target,
        "direction": link.direction.value,
        "reliance": trust.reliance.value,
        "errors_ratio": [round(error, 4) for error in trust.errors_ratio],
        "audits_count": trust.audits_count,
    }
