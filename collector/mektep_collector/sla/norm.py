"""The norm of a school's internet speed: norm(n) = max(20, n / 20) Mbit/s for n pupils, and where that is said.

It equals the target of the UN and ITU for 2030. The rule is data with its citation, so that another country or a new
order of a ministry is a new rule and no new code. The value is exact: it is judged as it is, and rounded for show only.
"""

from enum import StrEnum

import msgspec

from mektep_collector.registry.records import School


class NormBasis(StrEnum):
    """What a school's norm was computed from. Pupils and places differ much where a school has two shifts."""

    PUPILS = "pupils"
    PLACES = "places"
    FLOOR = "floor"
    """Neither count is in the register: the least norm, which every school must reach, is taken."""
    OPERATOR = "operator"
    """The operator set the norm of this school; no formula was used."""


class NormRule(msgspec.Struct, frozen=True, kw_only=True):
    """A least speed for every school, and one Mbit/s for each `pupils_per_mbps` pupils where that is more."""

    floor_mbps: float
    pupils_per_mbps: float
    citation: str


NATIONAL_NORM = NormRule(
    floor_mbps=20.0,
    pupils_per_mbps=20.0,
    citation=(
        "Ministry of Education of Kazakhstan, answer to Kazinform (en.inform.kz): 20 Mbit/s up to 400 pupils, "
        "above that 1 Mbit/s for each 20 pupils; ITU Partner2Connect report 2022: 20 Mbit/s a school, "
        "50 kbit/s a student above 400 students"
    ),
)
"""The norm that the ministries of Kazakhstan name."""


class Norm(msgspec.Struct, frozen=True, kw_only=True):
    """The norm of one school: the exact value, what it was computed from (`count` of it), and who says so."""

    mbps: float
    basis: NormBasis
    count: int | None
    citation: str


def norm_mbps(pupils_count: int, rule: NormRule = NATIONAL_NORM) -> float:
    """Return the exact norm in Mbit/s for a count of pupils. Raises ValueError for a negative count."""
    if pupils_count < 0:
        raise ValueError(f"a school cannot have {pupils_count} pupils")
    return max(rule.floor_mbps, pupils_count / rule.pupils_per_mbps)


def norm_of(school: School, rule: NormRule = NATIONAL_NORM) -> Norm:
    """Return a school's norm: the operator's own value, else by pupils, else by places, else the least one."""
    if school.norm_mbps is not None:
        return Norm(mbps=school.norm_mbps, basis=NormBasis.OPERATOR, count=None, citation="")
    if school.pupils_count is not None:
        mbps = norm_mbps(school.pupils_count, rule)
        return Norm(mbps=mbps, basis=NormBasis.PUPILS, count=school.pupils_count, citation=rule.citation)
    if school.places_count is not None:
        mbps = norm_mbps(school.places_count, rule)
        return Norm(mbps=mbps, basis=NormBasis.PLACES, count=school.places_count, citation=rule.citation)
    return Norm(mbps=rule.floor_mbps, basis=NormBasis.FLOOR, count=None, citation=rule.citation)
