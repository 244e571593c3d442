"""Which look a verdict has: the class of its chip and bar. Colour never speaks alone; the words stand beside it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from mektep_collector.sla.freshness import Freshness
from mektep_collector.sla.verdict import Verdict


class Look(StrEnum):
    """Looks of the style sheet; each has its own shape of icon too."""

    GOOD = "good"
    SHORT = "short"
    BAD = "bad"
    UNKNOWN = "unknown"


VERDICT_LOOKS: Mapping[Verdict, Look] = MappingProxyType(
    {
        Verdict.MEETS: Look.GOOD,
        Verdict.BELOW_CONTRACT: Look.SHORT,
        Verdict.BELOW_NORM: Look.BAD,
        Verdict.BELOW_BOTH: Look.BAD,
        Verdict.ALL_FAILED: Look.BAD,
        Verdict.NOT_COMPARED: Look.UNKNOWN,
        Verdict.INSUFFICIENT_DATA: Look.UNKNOWN,
        Verdict.NO_DATA: Look.UNKNOWN,
    }
)

FRESHNESS_LOOKS: Mapping[Freshness, Look] = MappingProxyType(
    {Freshness.LIVE: Look.GOOD, Freshness.SILENT: Look.SHORT, Freshness.NEVER: Look.UNKNOWN}
)
