"""Giga's two sayings of a school: whether the provider keeps the contract, and good, moderate or bad on the map.

Giga's guide to indicators: a school is compliant when the mean over thirty days is 80 % of the contracted speed or
above. Giga Maps: good is above the benchmark (20 Mbit/s unless a country has its own), moderate from 1 Mbit/s on, bad
below; the value is the mean of the days' means. A mean of means is what Giga takes; the other methods take counts.
"""

from collections.abc import Sequence
from enum import StrEnum
from statistics import fmean

from mektep_collector.sla.methods.method import Answer, Condition, Finding, Method, Part
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


def giga_status(day_means_mbps: Sequence[float], benchmark_mbps: float = BENCHMARK_MBPS) -> GigaStatus:
    """Return the colour of a school for the means of its days' good downloads, days without one left out."""
    if not day_means_mbps:
        return GigaStatus.UNKNOWN
    value_mbps = fmean(day_means_mbps)
    if value_mbps > benchmark_mbps:
        return GigaStatus.GOOD
    return GigaStatus.MODERATE if value_mbps >= BASE_MBPS else GigaStatus.BAD


def giga_contract(day_means_mbps: Sequence[float], ok_count: int, contract_mbps: float | None) -> Finding:
    """Return whether the mean of the days' means, which rest on `ok_count` downloads, is at 80 % of the contract.

    The part counts days: those whose own mean is, of those with one.
    """
    kept_count = 0
    if contract_mbps is None:
        answer = Answer.NOT_APPLICABLE
    else:
        floor_mbps = CONTRACT_MIN_RATIO * contract_mbps
        kept_count = sum(mean >= floor_mbps for mean in day_means_mbps)
        if ok_count < MIN_TESTS_COUNT or not day_means_mbps:
            answer = Answer.INSUFFICIENT_DATA
        else:
            answer = Answer.MET if fmean(day_means_mbps) >= floor_mbps else Answer.NOT_MET
    part = Part(
        condition=Condition.SPEED, answer=answer, good_count=kept_count, count=len(day_means_mbps), needed_count=0
    )
    return Finding(method=Method.GIGA, answer=answer, parts=[part])
