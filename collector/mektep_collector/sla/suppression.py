"""Cells that are too thin to be told: they say "insufficient data", never a figure, and never zero. Pure.

A figure of a region, a provider or another group rests on MIN_SCHOOLS_COUNT schools and MIN_TESTS_COUNT tests or is
not told: of fewer schools a reader could tell whose it is, of fewer tests it says little (a share of 80 % of 30 tests
lies between 63 and 90 %).
"""

from mektep_collector.sla.verdict import MIN_TESTS_COUNT

MIN_SCHOOLS_COUNT = 5


def is_told(schools_count: int, tests_count: int) -> bool:
    """Tell whether a group's figure may be told."""
    return schools_count >= MIN_SCHOOLS_COUNT and tests_count >= MIN_TESTS_COUNT
