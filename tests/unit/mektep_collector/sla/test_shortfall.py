import pytest

from mektep_collector.sla.shortfall import Diagnosed, Shortfall, shortfall


@pytest.mark.parametrize(
    ("measured_mbps", "contract_mbps", "found"),
    [
        (20.0, 100.0, Shortfall.NONE),  # the norm is met, whatever was contracted
        (20.0, None, Shortfall.NONE),
        (7.8, 8.0, Shortfall.CONTRACT_BELOW_NORM),
        (3.0, 8.0, Shortfall.CONTRACT_AND_PROVIDER),
        (15.9, 20.0, Shortfall.PROVIDER_BELOW_CONTRACT),
        (16.0, 20.0, Shortfall.BETWEEN),  # 80 % of the contract: kept
        (19.9, None, Shortfall.NO_CONTRACT),
        (None, 20.0, Shortfall.INSUFFICIENT_DATA),
    ],
)
def test_who_can_mend_it(measured_mbps: float | None, contract_mbps: float | None, found: Shortfall) -> None:
    assert shortfall(measured_mbps, 100, 20.0, contract_mbps) is found


def test_nobody_is_blamed_on_thin_data() -> None:
    assert shortfall(1.0, 29, 20.0, 20.0) is Shortfall.INSUFFICIENT_DATA
    assert shortfall(1.0, 30, 20.0, 20.0) is Shortfall.PROVIDER_BELOW_CONTRACT


@pytest.mark.parametrize(
    ("inside_count", "count", "is_inside"), [(3, 5, True), (4, 4, False), (2, 5, False), (0, 0, False)]
)
def test_the_provider_is_not_blamed_where_slow_runs_found_the_cause_inside_the_school(
    inside_count: int, count: int, is_inside: bool
) -> None:
    found = shortfall(5.0, 100, 20.0, 20.0, Diagnosed(inside_count, count))
    assert (found is Shortfall.INSIDE_SCHOOL) is is_inside
