"""Why a school has less than the norm, and so who can mend it: the payer, the provider, or the school. Pure.

Three numbers say it: what is contracted, the norm, and what is measured. A contract below the norm can give no more,
whoever fulfils it. Where the contract would do, the provider owes it; unless the runs' own diagnosis, made while they
were slow, found the cause inside the school. Nobody is blamed on thin data.
"""

from enum import StrEnum

import msgspec

from mektep_collector.sla.verdict import CONTRACT_MIN_RATIO, MIN_TESTS_COUNT

MIN_DIAGNOSED_COUNT = 5
"""Diagnosed slow runs on which it is said that the cause lies inside the school."""
INSIDE_RATIO = 0.5
"""Share of the diagnosed slow runs from which on it is."""


class Shortfall(StrEnum):
    """What a school falls short by."""

    NONE = "none"
    """The norm is met."""
    CONTRACT_BELOW_NORM = "contract_below_norm"
    """The contract itself is for less, and kept: whoever pays must order more."""
    PROVIDER_BELOW_CONTRACT = "provider_below_contract"
    """The contract is for enough, and not kept."""
    CONTRACT_AND_PROVIDER = "contract_and_provider"
    """The contract is for less than the norm, and not even that is given."""
    INSIDE_SCHOOL = "inside_school"
    """The slow runs' own diagnosis names the school's network or computer."""
    NO_CONTRACT = "no_contract"
    """Below the norm, with no contract known to hold it against."""
    BETWEEN = "between"
    """The contract is for the norm and counts as kept, and the norm is missed by what tests and headers take."""
    INSUFFICIENT_DATA = "insufficient_data"


class Diagnosed(msgspec.Struct, frozen=True):
    """Of `count` slow runs that found their cause, `inside_count` found it inside the school."""

    inside_count: int = 0
    count: int = 0

    @property
    def is_inside(self) -> bool:
        """Whether enough of them do to say so of the school."""
        return self.count >= MIN_DIAGNOSED_COUNT and self.inside_count >= INSIDE_RATIO * self.count


def shortfall(
    measured_mbps: float | None,
    tests_count: int,
    norm_mbps: float,
    contract_mbps: float | None,
    diagnosed: Diagnosed = Diagnosed(),  # noqa: B008 (frozen)
) -> Shortfall:
    """Return the cause for a school's measured figure, which rests on `tests_count` good tests."""
    if measured_mbps is None or tests_count < MIN_TESTS_COUNT:
        return Shortfall.INSUFFICIENT_DATA
    if measured_mbps >= norm_mbps:
        return Shortfall.NONE
    if diagnosed.is_inside:
        return Shortfall.INSIDE_SCHOOL
    if contract_mbps is None:
        return Shortfall.NO_CONTRACT
    is_kept = measured_mbps >= CONTRACT_MIN_RATIO * contract_mbps
    if contract_mbps < norm_mbps:
        return Shortfall.CONTRACT_BELOW_NORM if is_kept else Shortfall.CONTRACT_AND_PROVIDER
    return Shortfall.BETWEEN if is_kept else Shortfall.PROVIDER_BELOW_CONTRACT
