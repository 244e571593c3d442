"""Giga's two sayings of a school: whether the provider keeps the contract, and good, moderate or bad on the map.

Giga's guide to indicators: a school is compliant when the mean over thirty days is 80 % of the contracted speed or
above. Giga Maps: good is above the benchmark (20 Mbit/s unless a country has its own), moderate from 1 Mbit/s on, bad
below; the value is the mean of the days' means. A mean of means is what Giga takes; the other methods take counts.
"""

from collections.abc import Sequence
from enum import StrEnum
from statistics import fmean

from mektep_collector.sla.methods.method import Answer, Condition, Finding, Method, Part
from mektep_collector.sla.tally import DayTally, total
from mektep_collector.sla.verdict import CONTRACT_MIN_RATIO, MIN_TESTS_COUNT

BENCHMARK_MBPS = 20.0
BASE_MBPS = 1.0


class GigaStatus(StrEnum):
    """The colours of Giga Maps, by their meaning."""

    GOOD = "good"
    MODERATE = "moderate"
    BAD = "bad"
    UNKNOWN = "unknown"
    """No test gave a speed."""


def mean_of_days_mbps(days: Sequence[DayTally]) -> float | None:
    """Return the mean of the days' means; None where no test was good."""
    means = [day.mean_mbps for day in days if day.mean_mbps is not None]
    return fmean(means) if means else None


def giga_status(days: Sequence[DayTally], benchmark_mbps: float = BENCHMARK_MBPS) -> GigaStatus:
    """Return the colour of a school for its downloads of `days`."""
    value_mbps = mean_of_days_mbps(days)
    if value_mbps is None:
        return GigaStatus.UNKNOWN
    if value_mbps > benchmark_mbps:
        return GigaStatus.GOOD
    return GigaStatus.MODERATE if value_mbps >= BASE_MBPS else GigaStatus.BAD


def giga_contract(days: Sequence[DayTally], contract_mbps: float | None) -> Finding:
    """Return whether the mean of the downloads of `days` is at 80 % of the contract's speed or above.

    The part counts days: those whose mean is, of those with one.
    """
    ok_count = total(days).ok_count
    means = [day.mean_mbps for day in days if day.mean_mbps is not None]
    value_mbps = mean_of_days_mbps(days)
    if contract_mbps is None:
        answer, kept_count = Answer.NOT_APPLICABLE, 0
    else:
        floor_mbps = CONTRACT_MIN_RATIO * contract_mbps
        kept_count = sum(mean >= floor_mbps for mean in means)
        if value_mbps is None or ok_count < MIN_TESTS_COUNT:
            answer = Answer.INSUFFICIENT_DATA
        else:
            answer = Answer.MET if value_mbps >= floor_mbps else Answer.NOT_MET
    part = Part(condition=Condition.SPEED, answer=answer, good_count=kept_count, count=len(means), needed_count=0)
    return Finding(method=Method.GIGA, answer=answer, parts=[part])
