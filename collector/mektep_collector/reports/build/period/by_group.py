"""The figures of regions, providers and other groups, from the figures of their schools and their tests. Pure."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from mektep_collector.registry.records import School
from mektep_collector.reports.build.period.by_school import Measured
from mektep_collector.reports.build.period.document import GroupFigures, SchoolFigures
from mektep_collector.sla.grouped import Grouped, grouped, percentiles
from mektep_collector.sla.interval.cluster_bootstrap import median_of_schools, ratio_of_schools
from mektep_collector.sla.interval.wilson import wilson
from mektep_collector.sla.methods.method import Answer
from mektep_collector.sla.percentile import median
from mektep_collector.sla.suppression import is_told

SEED = 20_261_201
"""What schools are drawn by for intervals: the same schools give the same interval in every report."""


class Grouping(msgspec.Struct, frozen=True):
    """Where each school of a report counts: the group's key by the school's place, None for nowhere."""

    keys: Sequence[str | None]

    def members(self) -> dict[str, list[int]]:
        """Return the places of each group's schools, groups by key."""
        found: dict[str, list[int]] = {}
        for place, key in enumerate(self.keys):
            if key is not None:
                found.setdefault(key, []).append(place)
        return dict(sorted(found.items()))


def group_figures(figures: Sequence[SchoolFigures], measured: Measured, grouping: Grouping) -> list[GroupFigures]:
    """Return the figures of each group, by key; schools are in the order of `measured`."""
    members = grouping.members()
    numbers = {key: number for number, key in enumerate(members)}
    group_of = np.array([-1 if key is None else numbers[key] for key in grouping.keys], np.int32)
    downloads, latencies = measured.downloads, measured.latencies
    speeds = _by_group(group_of, downloads.school, np.where(downloads.is_ok, downloads.value, np.nan), len(members))
    trips = _by_group(group_of, latencies.school, np.where(latencies.is_ok, latencies.value, np.nan), len(members))
    p5, p10, p90 = (percentiles(speeds, ratio).tolist() for ratio in (0.05, 0.1, 0.9))
    trip_median, trip_p95 = (percentiles(trips, ratio).tolist() for ratio in (0.5, 0.95))
    rows = []
    for number, (key, places) in enumerate(members.items()):
        own = [figures[place] for place in places]
        counts = _counts(key, own)
        if not is_told(counts.reporting_count, counts.tests_count):
            rows.append(counts)
            continue
        row = _told(counts, own)
        has_trips = bool(trips.counts[number])
        rows.append(
            msgspec.structs.replace(
                row,
                p5_mbps=p5[number],
                p10_mbps=p10[number],
                p90_mbps=p90[number],
                latency_median_ms=trip_median[number] if has_trips else None,
                latency_p95_ms=trip_p95[number] if has_trips else None,
            )
        )
    return rows


def whole_figures(figures: Sequence[SchoolFigures], measured: Measured, key: str) -> GroupFigures:
    """Return the figures of all schools together; of none, counts of nothing."""
    rows = group_figures(figures, measured, Grouping([key] * len(figures)))
    return rows[0] if rows else _counts(key, [])


def _by_group(
    group_of: NDArray[np.int32], school: NDArray[np.int32], value: NDArray[np.float64], groups_count: int
) -> Grouped:
    group = group_of[school] if len(school) else np.empty(0, np.int32)
    is_member = group >= 0
    return grouped(group[is_member], value[is_member], groups_count)


def by_provider(figures: Sequence[SchoolFigures]) -> Grouping:
    """Return each school's provider by the contract in force at the end of the period."""
    return Grouping([each.provider for each in figures])


def by_region(schools: Sequence[School]) -> Grouping:
    """Return each school's region."""
    return Grouping([school.region for school in schools])


def by_technology(schools: Sequence[School]) -> Grouping:
    """Return how each school's line reaches it."""
    return Grouping([school.technology.value for school in schools])


def _counts(key: str, own: Sequence[SchoolFigures]) -> GroupFigures:
    answers = Counter(each.answer for each in own)
    return GroupFigures(
        key=key,
        schools_count=len(own),
        reporting_count=sum(each.download.ok_count > 0 for each in own),
        judged_count=answers[Answer.MET] + answers[Answer.NOT_MET],
        met_count=answers[Answer.MET],
        tests_count=sum(each.download.ok_count for each in own),
        failed_count=sum(each.download.failed_count for each in own),
        is_told=False,
    )


def _told(counts: GroupFigures, own: Sequence[SchoolFigures]) -> GroupFigures:
    medians = [each.download.median_mbps for each in own if each.download.median_mbps is not None]
    good = [each.norm_met_count for each in own]
    tests = [each.download.ok_count for each in own]
    judged = [each for each in own if each.answer in {Answer.MET, Answer.NOT_MET} and each.pupils_count]
    pupils = sum(each.pupils_count or 0 for each in judged)
    met_pupils = sum(each.pupils_count or 0 for each in judged if each.answer is Answer.MET)
    runs_count = counts.tests_count + counts.failed_count
    return msgspec.structs.replace(
        counts,
        is_told=True,
        met_interval=wilson(counts.met_count, counts.judged_count),
        pupils_ratio=met_pupils / pupils if pupils else None,
        median_mbps=median(medians),
        median_interval=median_of_schools(medians, SEED),
        norm_tests_ratio=sum(good) / counts.tests_count,
        norm_tests_interval=ratio_of_schools(good, tests, SEED),
        availability_ratio=counts.tests_count / runs_count,
        shortfalls=dict(sorted(Counter(each.shortfall for each in own).items())),
    )
