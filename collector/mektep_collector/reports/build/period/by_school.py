"""The figures of each school of a report, counted by column. Pure."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise
from math import isnan

import msgspec
import numpy as np
from numpy.typing import NDArray

from mektep_collector.registry.records import School
from mektep_collector.reports.build.period.document import Latencies, SchoolFigures, Speeds
from mektep_collector.reports.build.period.tests_by_column import Lines, Tests
from mektep_collector.sla.grouped import Grouped, counted, grouped, percentiles
from mektep_collector.sla.interval.order_statistics import interval_ranks
from mektep_collector.sla.interval.wilson import CONFIDENCE_RATIO
from mektep_collector.sla.methods.contract_share import contract_share
from mektep_collector.sla.methods.fcc_80_80 import LATENCY_MAX_MS, fcc_80_80
from mektep_collector.sla.methods.giga import giga_contract
from mektep_collector.sla.methods.method import Finding, Method
from mektep_collector.sla.methods.norm_share import norm_share
from mektep_collector.sla.norm import norm_of
from mektep_collector.sla.shortfall import shortfall
from mektep_collector.sla.tally import Tally
from mektep_collector.sla.verdict import CONTRACT_MIN_RATIO
from mektep_wire import Interval, Origin


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The tests of all schools of a report, each school's place in it being its number."""

    downloads: Tests
    uploads: Tests
    latencies: Tests


class _Direction(msgspec.Struct, frozen=True, kw_only=True):
    """One direction's tests by school."""

    speeds: Sequence[Speeds]
    tallies: Sequence[Tally]


def school_figures(
    schools: Sequence[School], lines: Lines, measured: Measured, simulated: Collection[str]
) -> list[SchoolFigures]:
    """Return the figures of each school, in their order; `simulated` schools are marked so."""
    norms = [norm_of(school) for school in schools]
    norm_mbps = np.array([norm.mbps for norm in norms], np.float64)
    downloads = _direction(measured.downloads, norm_mbps, _contracted(lines, upload=False), len(schools))
    uploads = _direction(measured.uploads, None, _contracted(lines, upload=True), len(schools))
    latencies = _latencies(measured.latencies, len(schools))
    last = {line.school: line for line in lines.lines}
    means = _day_means(measured.downloads, lines)
    figures = []
    for place, school in enumerate(schools):
        contract = last[place].commitment
        speeds, tally, latency = downloads.speeds[place], downloads.tallies[place], latencies[place]
        findings: dict[Method, Finding] = {
            Method.NORM_SHARE: norm_share(tally),
            Method.CONTRACT_SHARE: contract_share(tally),
            Method.FCC_80_80: fcc_80_80(tally, uploads.tallies[place], latency.low_count, latency.ok_count),
            Method.GIGA: giga_contract(
                means[place].day_means_mbps,
                means[place].ok_count,
                None if contract is None else contract.download_mbps,
            ),
        }
        figures.append(
            SchoolFigures(
                school_id=school.id,
                name=school.name,
                region=school.region,
                district=school.district,
                provider=None if contract is None else contract.provider,
                technology=school.technology,
                origin=Origin.SIMULATED if school.id in simulated else Origin.MEASURED,
                pupils_count=school.pupils_count,
                norm=norms[place],
                contract_mbps=None if contract is None else contract.download_mbps,
                contract_upload_mbps=None if contract is None else contract.upload_mbps,
                download=speeds,
                upload=uploads.speeds[place],
                latency=latency,
                availability_ratio=tally.ok_count / tally.runs_count if tally.runs_count else None,
                norm_met_count=tally.norm_met_count,
                findings=findings,
                shortfall=shortfall(
                    speeds.median_mbps,
                    speeds.ok_count,
                    norms[place].mbps,
                    None if contract is None else contract.download_mbps,
                ),
            )
        )
    return figures


def _contracted(lines: Lines, *, upload: bool) -> NDArray[np.float64]:
    """Return the contracted speed of each line, NaN where there is none."""
    speeds = []
    for line in lines.lines:
        contract = line.commitment
        speeds.append(np.nan if contract is None else contract.upload_mbps if upload else contract.download_mbps)
    return np.array(speeds, np.float64)


def _direction(
    tests: Tests, norm_mbps: NDArray[np.float64] | None, contracted_mbps: NDArray[np.float64], schools_count: int
) -> _Direction:
    is_ok = tests.is_ok
    contract = contracted_mbps[tests.line] if len(tests.line) else np.empty(0)
    is_judged = is_ok & ~np.isnan(contract)
    with np.errstate(invalid="ignore"):  # NaN is below and above nothing
        is_met, is_kept = tests.value >= contract, tests.value >= CONTRACT_MIN_RATIO * contract
        is_norm_met = (
            np.zeros(len(tests.value), np.bool_) if norm_mbps is None else tests.value >= norm_mbps[tests.school]
        )
    counts = {
        "ok_count": is_ok,
        "failed_count": tests.is_failed,
        "skipped_count": tests.is_skipped,
        "norm_judged_count": np.zeros_like(is_ok) if norm_mbps is None else is_ok,
        "norm_met_count": is_ok & is_norm_met,
        "contract_judged_count": is_judged,
        "contract_met_count": is_judged & is_met,
        "contract_kept_count": is_judged & is_kept,
    }
    columns = {name: counted(tests.school, which, schools_count).tolist() for name, which in counts.items()}
    tallies = [Tally(**dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]
    values = grouped(tests.school, np.where(is_ok, tests.value, np.nan), schools_count)
    orders = [_numbers(percentiles(values, ratio)) for ratio in (0.5, 0.05, 0.1, 0.9)]
    days = _days_counts(tests, schools_count)
    speeds = [
        Speeds(
            ok_count=tally.ok_count,
            failed_count=tally.failed_count,
            skipped_count=tally.skipped_count,
            days_count=days[place],
            median_mbps=median,
            median_interval=_median_interval(values, place),
            p5_mbps=p5,
            p10_mbps=p10,
            p90_mbps=p90,
        )
        for place, (tally, median, p5, p10, p90) in enumerate(zip(tallies, *orders, strict=True))
    ]
    return _Direction(speeds=speeds, tallies=tallies)


class _Means(msgspec.Struct, frozen=True, kw_only=True):
    """The means of a school's days with a good test, and on how many tests they rest."""

    day_means_mbps: Sequence[float]
    ok_count: int


def _day_means(tests: Tests, lines: Lines) -> list[_Means]:
    """Return each school's daily means under its last contract of the period."""
    last_line = {line.school: place for place, line in enumerate(lines.lines)}
    is_last = np.zeros(len(lines.lines), np.bool_)
    is_last[list(last_line.values())] = True
    own = tests.is_ok & is_last[tests.line]
    school, day, value = tests.school[own], tests.day[own], tests.value[own]
    # tests come by school and time, so that a school's day is a run of neighbours
    starts = np.flatnonzero(np.diff(school, prepend=-1) | np.diff(day, prepend=-1))
    counts = np.diff(np.append(starts, len(school)))
    means = np.add.reduceat(value, starts) / counts if len(starts) else np.empty(0)
    by_school = np.searchsorted(school[starts], np.arange(len(last_line) + 1))
    return [
        _Means(day_means_mbps=means[first:end].tolist(), ok_count=int(counts[first:end].sum()))
        for first, end in pairwise(by_school.tolist())
    ]


def _days_counts(tests: Tests, schools_count: int) -> list[int]:
    """Return on how many days each school had a good test."""
    school, day = tests.school[tests.is_ok], tests.day[tests.is_ok]
    is_first = (np.diff(school, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0)
    return [int(count) for count in np.bincount(school[is_first], minlength=schools_count)]


def _latencies(tests: Tests, schools_count: int) -> list[Latencies]:
    values = grouped(tests.school, np.where(tests.is_ok, tests.value, np.nan), schools_count)
    with np.errstate(invalid="ignore"):
        is_low = tests.is_ok & (tests.value <= LATENCY_MAX_MS)
    failed, low = counted(tests.school, tests.is_failed, schools_count), counted(tests.school, is_low, schools_count)
    medians, p95s = _numbers(percentiles(values, 0.5)), _numbers(percentiles(values, 0.95))
    return [
        Latencies(
            ok_count=int(values.counts[place]),
            failed_count=int(failed[place]),
            low_count=int(low[place]),
            median_ms=medians[place],
            p95_ms=p95s[place],
        )
        for place in range(schools_count)
    ]


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Return numbers with None for what is none."""
    return [None if isnan(value) else value for value in values.tolist()]


def _median_interval(values: Grouped, place: int) -> Interval | None:
    own = values.of(place)
    ranks = _ranks(len(own))
    if ranks is None:
        return None
    low, high = ranks
    return Interval(low=float(own[low - 1]), high=float(own[high - 1]), confidence_ratio=CONFIDENCE_RATIO)


@lru_cache(maxsize=4_096)
def _ranks(count: int) -> tuple[int, int] | None:
    return interval_ranks(count, 0.5, CONFIDENCE_RATIO)
