"""What a measured throughput means beside the norm and the contract.

The norm is compared exactly. A contract names the rate of the line while a test counts what an application gets (TCP
and IP headers alone take 3.5 %), so a contract counts as kept from `CONTRACT_MIN_RATIO` of it on: the bound of Giga's
guide to indicators, and of the FCC (47 CFR 54.313(a)(6)). A period is judged on `MIN_TESTS_COUNT` tests or not at all.
"""

from enum import StrEnum

import msgspec

CONTRACT_MIN_RATIO = 0.8
"""Share of the contracted speed from which on a contract counts as kept."""
MIN_TESTS_COUNT = 30
"""Good tests that a verdict on a period rests on at least."""


class Verdict(StrEnum):
    """A closed list: what can be said of a value, or of a period, and why nothing can be said."""

    MEETS = "meets"
    BELOW_CONTRACT = "below_contract"
    """At least the norm, but less than the contract promises."""
    BELOW_NORM = "below_norm"
    """Less than the norm; the contract is kept, or none is known."""
    BELOW_BOTH = "below_both"
    """Less than the norm, and less than the contract promises."""
    NOT_COMPARED = "not_compared"
    """There is a value, but neither norm nor contract to hold it against."""
    INSUFFICIENT_DATA = "insufficient_data"
    """There are values, but too few to judge anybody by them."""
    ALL_FAILED = "all_failed"
    """Tests ran and none gave a value: a fact of its own, never 0 Mbit/s."""
    NO_DATA = "no_data"
    """No test ran: unknown, never down."""


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a direction is held against, in Mbit/s; None where there is nothing."""

    norm_mbps: float | None
    contract_mbps: float | None

    @property
    def contract_floor_mbps(self) -> float | None:
        """The speed from which on the contract counts as kept; None without a contract."""
        return None if self.contract_mbps is None else self.contract_mbps * CONTRACT_MIN_RATIO


def compare(value_mbps: float, bounds: Bounds) -> Verdict:
    """Return how one value stands: one of the first five verdicts. A value that equals a bound reaches it."""
    floor_mbps = bounds.contract_floor_mbps
    if bounds.norm_mbps is None and floor_mbps is None:
        return Verdict.NOT_COMPARED
    short_of_norm = bounds.norm_mbps is not None and value_mbps < bounds.norm_mbps
    short_of_contract = floor_mbps is not None and value_mbps < floor_mbps
    if short_of_norm:
        return Verdict.BELOW_BOTH if short_of_contract else Verdict.BELOW_NORM
    return Verdict.BELOW_CONTRACT if short_of_contract else Verdict.MEETS


def judge(median_mbps: float | None, ok_count: int, failed_count: int, bounds: Bounds) -> Verdict:
    """Return the verdict on a period with `ok_count` good and `failed_count` failed tests."""
    if median_mbps is None or ok_count == 0:
        return Verdict.ALL_FAILED if failed_count else Verdict.NO_DATA
    if ok_count < MIN_TESTS_COUNT:
        return Verdict.INSUFFICIENT_DATA
    return compare(median_mbps, bounds)
