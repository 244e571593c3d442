"""Verdicts: exact at their bounds, silent on thin data, and never 0 Mbit/s for a failure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.verdict import MIN_TESTS_COUNT, Bounds, Verdict, compare, judge

BOTH = Bounds(norm_mbps=20.0, contract_mbps=50.0)
speeds_mbps = st.floats(0.0, 1_000.0)


@pytest.mark.parametrize(
    ("value_mbps", "bounds", "verdict"),
    [
        (40.0, BOTH, Verdict.MEETS),
        (39.999, BOTH, Verdict.BELOW_CONTRACT),
        (20.0, BOTH, Verdict.BELOW_CONTRACT),
        (19.999, BOTH, Verdict.BELOW_BOTH),
        (9.0, Bounds(norm_mbps=20.0, contract_mbps=10.0), Verdict.BELOW_NORM),
        (20.0, Bounds(norm_mbps=20.0, contract_mbps=None), Verdict.MEETS),
        (19.999, Bounds(norm_mbps=20.0, contract_mbps=None), Verdict.BELOW_NORM),
        (3.0, Bounds(norm_mbps=None, contract_mbps=4.0), Verdict.BELOW_CONTRACT),
        (3.0, Bounds(norm_mbps=None, contract_mbps=None), Verdict.NOT_COMPARED),
    ],
)
def test_a_value_that_equals_a_bound_reaches_it(value_mbps: float, bounds: Bounds, verdict: Verdict) -> None:
    assert compare(value_mbps, bounds) is verdict


@given(speeds_mbps, speeds_mbps, speeds_mbps, speeds_mbps)
def test_a_faster_line_never_loses_a_bound(slow: float, more: float, norm: float, contract: float) -> None:
    bounds = Bounds(norm_mbps=norm, contract_mbps=contract)
    losses = {
        Verdict.MEETS: set[str](),
        Verdict.BELOW_NORM: {"norm"},
        Verdict.BELOW_CONTRACT: {"contract"},
        Verdict.BELOW_BOTH: {"norm", "contract"},
    }
    assert losses[compare(slow + more, bounds)] <= losses[compare(slow, bounds)]


def test_too_few_tests_judge_nobody() -> None:
    assert judge(1.0, MIN_TESTS_COUNT - 1, 0, BOTH) is Verdict.INSUFFICIENT_DATA
    assert judge(1.0, MIN_TESTS_COUNT, 0, BOTH) is Verdict.BELOW_BOTH


def test_failed_tests_alone_are_a_fact_and_no_test_is_unknown() -> None:
    assert judge(None, 0, 3, BOTH) is Verdict.ALL_FAILED
    assert judge(None, 0, 0, BOTH) is Verdict.NO_DATA
