from random import Random

import numpy as np
import pytest
from scipy.stats import bootstrap

from mektep_collector.sla.interval.cluster_bootstrap import median_of_schools, ratio_of_schools


def test_a_median_has_about_the_interval_that_scipys_percentile_bootstrap_gives() -> None:
    random = Random(3)
    values = [random.lognormvariate(3.0, 0.5) for _ in range(201)]
    found = median_of_schools(values, seed=1)
    peer = bootstrap(
        (values,), np.median, n_resamples=2_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((peer.low, peer.high), rel=0.05)


def test_tests_of_one_school_count_as_one_school() -> None:
    # ten schools, half of them always good: a thousand tests each make the share no surer than ten schools do
    good, of = [1_000] * 5 + [0] * 5, [1_000] * 10
    found = ratio_of_schools(good, of, seed=1)
    assert found is not None
    assert found.low == pytest.approx(0.2, abs=0.05)
    assert found.high == pytest.approx(0.8, abs=0.05)


def test_nineteen_of_twenty_intervals_hold_the_true_share() -> None:
    random = Random(11)
    held_count = 0
    for number in range(400):
        of = [random.randint(20, 60) for _ in range(40)]
        good = []
        for count in of:
            share = random.betavariate(7.0, 3.0)  # schools differ; 0.7 in the mean
            good.append(sum(random.random() < share for _ in range(count)))
        found = ratio_of_schools(good, of, seed=number)
        assert found is not None
        held_count += found.low <= 0.7 <= found.high
    assert held_count / 400 >= 0.95 - 0.03


def test_the_same_schools_give_the_same_interval_in_any_order() -> None:
    random = Random(2)
    values = [random.random() for _ in range(30)]
    assert median_of_schools(values, seed=5) == median_of_schools(values[::-1], seed=5)
    assert ratio_of_schools([1, 2, 3, 4, 5], [6] * 5, seed=5) == ratio_of_schools([1, 2, 3, 4, 5], [6] * 5, seed=5)


def test_of_four_schools_no_interval_is_told() -> None:
    assert median_of_schools([1.0, 2.0, 3.0, 4.0], seed=1) is None
    assert ratio_of_schools([1, 1, 1, 1, 0], [1, 1, 1, 1, 0], seed=1) is None


def test_a_country_takes_little_memory_at_a_time() -> None:
    found = median_of_schools([float(number) for number in range(7_500)], seed=1)
    assert found is not None
    assert found.low < 3_749.5 < found.high
