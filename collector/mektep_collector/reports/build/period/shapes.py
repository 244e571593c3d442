"""How a report's downloads lie over the week, over the days and over the schools. Pure."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from mektep_collector.reports.build.period.document import Bands, Cell, RibbonDay, SchoolFigures
from mektep_collector.reports.build.period.tests_by_column import Tests
from mektep_collector.sla.grouped import grouped, percentiles
from mektep_collector.sla.percentile import percentile_of_sorted
from mektep_collector.sla.period import ReportPeriod
from mektep_collector.sla.suppression import MIN_SCHOOLS_COUNT, is_told
from mektep_collector.sla.verdict import MIN_TESTS_COUNT

NEAR_RATIO = 0.8
"""From this share of the norm on a school counts as near it."""
_HOURS_COUNT = 24
_WEEK_HOURS_COUNT = 7 * _HOURS_COUNT


def hours_of_week(tests: Tests, *, is_one_school: bool) -> list[Cell]:
    """Return a cell for each hour of the week with a good test, Monday's first; thin ones without a median."""
    own = tests.is_ok
    place = tests.weekday[own].astype(np.int32) * _HOURS_COUNT + tests.hour[own]
    found = grouped(place, tests.value[own], _WEEK_HOURS_COUNT)
    medians = percentiles(found, 0.5).tolist()
    schools = _schools_counts(place, tests.school[own], _WEEK_HOURS_COUNT)
    return [
        Cell(
            weekday=number // _HOURS_COUNT,
            hour=number % _HOURS_COUNT,
            median_mbps=medians[number] if is_one_school or is_told(schools[number], count) else None,
            tests_count=count,
            schools_count=schools[number],
        )
        for number, count in enumerate(found.counts.tolist())
        if count
    ]


def ribbon(tests: Tests, period: ReportPeriod, *, is_one_school: bool) -> list[RibbonDay]:
    """Return a row for each day of the period, without figures where it is too thin."""
    own = tests.is_ok
    found = grouped(tests.day[own], tests.value[own], period.days_count)
    p10, p50, p90 = (percentiles(found, ratio).tolist() for ratio in (0.1, 0.5, 0.9))
    schools = _schools_counts(tests.day[own], tests.school[own], period.days_count)
    days = []
    for number, count in enumerate(found.counts.tolist()):
        told = count > 0 and (is_one_school or is_told(schools[number], count))
        days.append(
            RibbonDay(
                day=period.first + timedelta(days=number),
                tests_count=count,
                p10_mbps=p10[number] if told else None,
                median_mbps=p50[number] if told else None,
                p90_mbps=p90[number] if told else None,
            )
        )
    return days


def distribution_mbps(figures: Sequence[SchoolFigures]) -> list[float]:
    """Return the speed that 100, 99, ... 0 % of the schools' medians reach; nothing of too few schools."""
    medians = sorted(each.download.median_mbps for each in figures if each.download.median_mbps is not None)
    if len(medians) < MIN_SCHOOLS_COUNT:
        return []
    return [percentile_of_sorted(medians, hundredth / 100) for hundredth in range(101)]


def bands(figures: Sequence[SchoolFigures]) -> Bands:
    """Return how many schools' medians lie at, near and below their norm; of few tests none is placed."""
    at_norm = near = below = unjudged = 0
    for each in figures:
        value_mbps = each.download.median_mbps
        if value_mbps is None or each.download.ok_count < MIN_TESTS_COUNT:
            unjudged += 1
        elif value_mbps >= each.norm.mbps:
            at_norm += 1
        elif value_mbps >= NEAR_RATIO * each.norm.mbps:
            near += 1
        else:
            below += 1
    return Bands(at_norm_count=at_norm, near_norm_count=near, below_count=below, unjudged_count=unjudged)


def _schools_counts(place: NDArray[np.int32], school: NDArray[np.int32], places_count: int) -> list[int]:
    """Return how many different schools are in each place."""
    pairs = np.unique((place.astype(np.int64) << 32) + school)
    return [int(count) for count in np.bincount(pairs >> 32, minlength=places_count)]
