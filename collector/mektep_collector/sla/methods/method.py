"""What every method answers, and in what words."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from mektep_wire import Interval


class Method(StrEnum):
    """The methods that a report may be made by."""

    NORM_SHARE = "norm_share"
    CONTRACT_SHARE = "contract_share"
    FCC_80_80 = "fcc_80_80"
    BNETZA = "bnetza"
    GIGA = "giga"
    EU_NORMALLY_AVAILABLE = "eu_normally_available"


class Answer(StrEnum):
    """What a method says."""

    MET = "met"
    NOT_MET = "not_met"
    INSUFFICIENT_DATA = "insufficient_data"
    """There is too little to judge anybody by."""
    NOT_APPLICABLE = "not_applicable"
    """What the method compares with, such as a contract, is not there."""


class Condition(StrEnum):
    """The single conditions of which methods are made."""

    SPEED = "speed"
    LATENCY = "latency"
    MAXIMUM_REACHED = "maximum_reached"
    NORMALLY_AVAILABLE = "normally_available"
    MINIMUM_KEPT = "minimum_kept"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One condition: `good_count` of `count` (tests, or days where the condition is about days), and what is needed."""

    condition: Condition
    answer: Answer
    good_count: int
    count: int
    needed_count: int
    interval: Interval | None = None

    @property
    def ratio(self) -> float | None:
        """Return the share of good ones; None of nothing."""
        return self.good_count / self.count if self.count else None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A method's answer, and the conditions that it follows from."""

    method: Method
    answer: Answer
    parts: Sequence[Part] = ()


def all_of(method: Method, parts: Sequence[Part]) -> Finding:
    """Return what follows where every condition must hold: one that is broken breaks it, whatever the others lack."""
    answers = {part.answer for part in parts}
    for answer in (Answer.NOT_MET, Answer.NOT_APPLICABLE, Answer.INSUFFICIENT_DATA):
        if answer in answers:
            return Finding(method=method, answer=answer, parts=parts)
    return Finding(method=method, answer=Answer.MET, parts=parts)
