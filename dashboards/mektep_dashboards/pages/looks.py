"""Which look a verdict has: the class of its chip and bar. Colour never speaks alone; the words stand beside it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from mektep_collector.sla.audit import AuditVerdict
from mektep_collector.sla.freshness import Freshness
from mektep_collector.sla.lesson_readiness import Limit
from mektep_collector.sla.platform import PlatformState
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

PLATFORM_LOOKS: Mapping[PlatformState, Look] = MappingProxyType(
    {
        PlatformState.REACHABLE: Look.GOOD,
        PlatformState.SLOW: Look.SHORT,
        PlatformState.PLATFORM_DOWN: Look.BAD,
        PlatformState.INTERNET_DOWN: Look.BAD,
        PlatformState.UNKNOWN: Look.UNKNOWN,
    }
)

LIMIT_LOOKS: Mapping[Limit, Look] = MappingProxyType(
    {
        Limit.DOWNLOAD: Look.GOOD,
        Limit.UPLOAD: Look.GOOD,
        Limit.LATENCY: Look.BAD,
        Limit.LOSS: Look.BAD,
        Limit.PLATFORM: Look.BAD,
        Limit.INTERNET: Look.BAD,
        Limit.NOT_MEASURED: Look.UNKNOWN,
    }
)

AUDIT_LOOKS: Mapping[AuditVerdict, Look] = MappingProxyType(
    {
        AuditVerdict.AS_DRAWN: Look.GOOD,
        AuditVerdict.MISSING: Look.BAD,
        AuditVerdict.TOO_MANY: Look.BAD,
        AuditVerdict.MISSING_AND_TOO_MANY: Look.BAD,
        AuditVerdict.NOT_CHECKED: Look.UNKNOWN,
    }
)

FRESHNESS_LOOKS: Mapping[Freshness, Look] = MappingProxyType(
    {Freshness.LIVE: Look.GOOD, Freshness.SILENT: Look.SHORT, Freshness.NEVER: Look.UNKNOWN}
)
