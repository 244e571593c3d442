"""A condition on a share of tests: how many must be good, of how many."""

from fractions import Fraction
from math import ceil

from mektep_collector.sla.interval.wilson import wilson
from mektep_collector.sla.methods.method import Answer, Condition, Part
from mektep_collector.sla.verdict import MIN_TESTS_COUNT


def share_part(
    condition: Condition, good_count: int, count: int, least_share: Fraction, min_count: int = MIN_TESTS_COUNT
) -> Part:
    """Return the condition that at least `least_share` of `count` tests are good, judged on `min_count` or not at all.

    The bound is exact: 24 of 30 are 80 %.
    """
    needed_count = ceil(least_share * count)
    if count < min_count:
        answer = Answer.INSUFFICIENT_DATA
    else:
        answer = Answer.MET if good_count >= needed_count else Answer.NOT_MET
    return Part(
        condition=condition,
        answer=answer,
        good_count=good_count,
        count=count,
        needed_count=needed_count,
        interval=wilson(good_count, count),
    )


def not_applicable(condition: Condition) -> Part:
    """Return the condition where nothing is to be compared with."""
    return Part(condition=condition, answer=Answer.NOT_APPLICABLE, good_count=0, count=0, needed_count=0)
