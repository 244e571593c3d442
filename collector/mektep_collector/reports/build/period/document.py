"""What a report on a period says, frozen: every number with what it rests on, and nothing that is too thin to tell."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

import msgspec

from mektep_collector.registry.records import Technology
from mektep_collector.reports.build.period.tests_by_column import Hours
from mektep_collector.sla.methods.method import Answer, Finding, Method
from mektep_collector.sla.norm import Norm
from mektep_collector.sla.period import ReportPeriod
from mektep_collector.sla.shortfall import Shortfall
from mektep_wire import Interval, Origin


class ScopeKind(StrEnum):
    """What a report is about."""

    NATION = "nation"
    REGION = "region"
    PROVIDER = "provider"
    SCHOOL = "school"


class ReportScope(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is the region's code, the provider's name or the school's id; empty for the nation."""

    kind: ScopeKind
    key: str = ""


class Speeds(msgspec.Struct, frozen=True, kw_only=True):
    """Tests of one direction in Mbit/s: order statistics of the good ones, None where there were none.

    `median_interval` lies between two of the values themselves; None where they are too few to hold it.
    """

    ok_count: int
    failed_count: int
    skipped_count: int
    days_count: int
    median_mbps: float | None
    median_interval: Interval | None
    p5_mbps: float | None
    p10_mbps: float | None
    p90_mbps: float | None


class Latencies(msgspec.Struct, frozen=True, kw_only=True):
    """Looks at the idle round trip in milliseconds; `low_count` took at most what the FCC's rule allows."""

    ok_count: int
    failed_count: int
    low_count: int
    median_ms: float | None
    p95_ms: float | None


class SchoolFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One school. `contract_mbps` and `provider` are of the contract in force on the last day of the period.

    `availability_ratio` is good tests of good and failed ones; `shortfall` says who can mend a miss of the norm.
    """

    school_id: str
    name: str
    region: str
    district: str
    provider: str | None
    technology: Technology
    origin: Origin
    pupils_count: int | None
    norm: Norm
    contract_mbps: float | None
    contract_upload_mbps: float | None
    download: Speeds
    upload: Speeds
    latency: Latencies
    availability_ratio: float | None
    norm_met_count: int
    findings: Mapping[Method, Finding]
    shortfall: Shortfall

    @property
    def answer(self) -> Answer:
        """Whether the norm is met, by the share of tests."""
        return self.findings[Method.NORM_SHARE].answer


class GroupFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One region, provider or other group. Where `is_told` is false it is too thin: every figure but counts is None.

    `met_count` of `judged_count` schools meet the norm; `pupils_ratio` is the same share by pupils, of schools whose
    pupils are known. `median_mbps` is the median of the schools' medians, its interval by drawing schools again;
    p5, p10 and p90 are of all tests together. `norm_tests_ratio` is the share of good tests that reached the norm.
    """

    key: str
    schools_count: int
    reporting_count: int
    judged_count: int
    met_count: int
    tests_count: int
    failed_count: int
    is_told: bool
    met_interval: Interval | None = None
    pupils_ratio: float | None = None
    median_mbps: float | None = None
    median_interval: Interval | None = None
    p5_mbps: float | None = None
    p10_mbps: float | None = None
    p90_mbps: float | None = None
    norm_tests_ratio: float | None = None
    norm_tests_interval: Interval | None = None
    availability_ratio: float | None = None
    latency_median_ms: float | None = None
    latency_p95_ms: float | None = None
    shortfalls: Mapping[Shortfall, int] = {}

    @property
    def met_ratio(self) -> float | None:
        """Return the share of judged schools that meet the norm; None where it is not told or none was judged."""
        return self.met_count / self.judged_count if self.is_told and self.judged_count else None


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One hour of one weekday (Monday is 0): the median download and what it rests on; None where it is too thin."""

    weekday: int
    hour: int
    median_mbps: float | None
    tests_count: int
    schools_count: int


class RibbonDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day's downloads together; None where it is too thin."""

    day: date
    tests_count: int
    p10_mbps: float | None
    median_mbps: float | None
    p90_mbps: float | None


class Bands(msgspec.Struct, frozen=True, kw_only=True):
    """Schools by their median beside their norm."""

    at_norm_count: int
    near_norm_count: int
    """From 80 % of the norm on, and below it."""
    below_count: int
    unjudged_count: int
    """With too few tests, or none."""


class ReportDocument(msgspec.Struct, frozen=True, kw_only=True):
    """All of a report. `before` has the headline figures of the period before, for what changed."""

    period: ReportPeriod
    scope: ReportScope
    hours: Hours
    made_at: datetime
    version: str
    school_days_count: int
    whole: GroupFigures
    before: GroupFigures | None
    bands: Bands
    schools: Sequence[SchoolFigures]
    regions: Sequence[GroupFigures]
    providers: Sequence[GroupFigures]
    providers_by_region: Sequence[tuple[str, GroupFigures]]
    """A region's code with the figures of one of its providers."""
    technologies: Sequence[GroupFigures]
    hours_of_week: Sequence[Cell]
    ribbon: Sequence[RibbonDay]
    distribution_mbps: Sequence[float]
    """Speed that 100, 99, ... 0 % of the schools' medians reach; empty where too thin."""
    data_hash: str
    """SHA-256 of the runs that the figures were made from."""
