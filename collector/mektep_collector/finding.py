"""What a look at stored data found: something to know of, or something to mend."""

from enum import StrEnum

import msgspec


class Weight(StrEnum):
    """How much a finding weighs."""

    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: what was looked at, where it is, what was seen, and what to do about it (empty: nothing)."""

    subject: str
    where: str
    weight: Weight
    seen: str
    remedy: str = ""
