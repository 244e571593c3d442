"""The methods that ask for a share of tests, each at the edge of its bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.sla.methods.contract_share import contract_share
from mektep_collector.sla.methods.eu_normally_available import eu_normally_available
from mektep_collector.sla.methods.fcc_80_80 import fcc_80_80
from mektep_collector.sla.methods.giga import GigaStatus, giga_contract, giga_status
from mektep_collector.sla.methods.method import Answer
from mektep_collector.sla.methods.norm_share import norm_share
from mektep_collector.sla.methods.promise import Promise
from mektep_collector.sla.tally import Tally


def downloads(good_count: int, count: int, failed_count: int = 0) -> Tally:
    """Of `count` good tests `good_count` reached the norm and kept the contract."""
    return Tally(
        ok_count=count,
        failed_count=failed_count,
        norm_judged_count=count,
        norm_met_count=good_count,
        contract_judged_count=count,
        contract_met_count=0,
        contract_kept_count=good_count,
    )


@pytest.mark.parametrize(
    ("good_count", "count", "answer"),
    [
        (24, 30, Answer.MET),  # exactly 80 %
        (23, 30, Answer.NOT_MET),
        (29, 29, Answer.INSUFFICIENT_DATA),
        (0, 0, Answer.INSUFFICIENT_DATA),
        (25, 31, Answer.MET),  # 24.8 are needed
        (24, 31, Answer.NOT_MET),
    ],
)
def test_four_of_five_tests_must_reach_the_norm_and_keep_the_contract(
    good_count: int, count: int, answer: Answer
) -> None:
    assert norm_share(downloads(good_count, count)).answer is answer
    assert contract_share(downloads(good_count, count)).answer is answer


def test_without_a_contract_nobody_is_held_to_one() -> None:
    without = Tally(ok_count=100, norm_judged_count=100, norm_met_count=10)
    assert contract_share(without).answer is Answer.NOT_APPLICABLE
    assert norm_share(without).answer is Answer.NOT_MET


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 50))
def test_failed_tests_change_no_share_of_speeds(good_count: int, rest_count: int, failed_count: int) -> None:
    count = good_count + rest_count
    assert norm_share(downloads(good_count, count, failed_count)) == norm_share(downloads(good_count, count))


@pytest.mark.parametrize(
    ("down", "up", "low_latency_count", "answer"),
    [
        (80, 80, 95, Answer.MET),
        (79, 80, 95, Answer.NOT_MET),
        (80, 79, 95, Answer.NOT_MET),
        (80, 80, 94, Answer.NOT_MET),
    ],
)
def test_the_fccs_rule_asks_both_directions_and_the_latency(
    down: int, up: int, low_latency_count: int, answer: Answer
) -> None:
    assert fcc_80_80(downloads(down, 100), downloads(up, 100), low_latency_count, 100).answer is answer


def test_a_condition_that_is_broken_breaks_it_though_others_lack_data() -> None:
    assert fcc_80_80(downloads(0, 100), downloads(0, 0), 0, 0).answer is Answer.NOT_MET
    assert fcc_80_80(downloads(100, 100), downloads(100, 100), 29, 29).answer is Answer.INSUFFICIENT_DATA


def test_giga_takes_the_mean_of_the_days_means() -> None:
    # one day of 40 and nine of 15 Mbit/s: 17.5, whatever tests the days had
    means = [40.0, *[15.0] * 9]
    assert giga_contract(means, 40, contract_mbps=21.875).answer is Answer.MET  # 80 % of it is 17.5
    assert giga_contract(means, 40, contract_mbps=22.0).answer is Answer.NOT_MET
    assert giga_contract(means, 40, contract_mbps=None).answer is Answer.NOT_APPLICABLE
    assert giga_contract(means, 29, contract_mbps=10.0).answer is Answer.INSUFFICIENT_DATA
    assert giga_contract([], 0, contract_mbps=10.0).answer is Answer.INSUFFICIENT_DATA
    (part,) = giga_contract(means, 40, contract_mbps=20.0).parts
    assert (part.good_count, part.count) == (1, 10)


@pytest.mark.parametrize(
    ("means_mbps", "status"),
    [
        ([20.1], GigaStatus.GOOD),
        ([20.0], GigaStatus.MODERATE),
        ([1.0, 1.0], GigaStatus.MODERATE),
        ([0.9], GigaStatus.BAD),
        ([], GigaStatus.UNKNOWN),  # a day of failed tests is no day of 0 Mbit/s
    ],
)
def test_gigas_colours(means_mbps: list[float], status: GigaStatus) -> None:
    assert giga_status(means_mbps) is status


def test_nine_of_ten_tests_must_reach_the_normally_available_speed() -> None:
    promise = Promise(maximum_mbps=50.0, normally_mbps=40.0)
    assert eu_normally_available([40.0] * 27 + [1.0] * 3, promise).answer is Answer.MET
    assert eu_normally_available([40.0] * 26 + [1.0] * 4, promise).answer is Answer.NOT_MET
    assert eu_normally_available([40.0] * 29, promise).answer is Answer.INSUFFICIENT_DATA
    assert eu_normally_available([40.0] * 30, Promise(maximum_mbps=50.0)).answer is Answer.NOT_APPLICABLE
