"""The norm: worked values of its sources, its shape, and what it is computed from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.registry.records import School
from mektep_collector.sla.norm import NATIONAL_NORM, NormBasis, norm_mbps, norm_of


@pytest.mark.parametrize(
    ("pupils_count", "mbps"),
    [(0, 20.0), (100, 20.0), (400, 20.0), (401, 20.05), (526, 26.3), (800, 40.0), (1_200, 60.0), (2_000, 100.0)],
)
def test_the_norm_gives_the_worked_values_exactly(pupils_count: int, mbps: float) -> None:
    assert norm_mbps(pupils_count) == mbps


@given(st.integers(0, 100_000))
def test_one_more_pupil_never_lowers_the_norm_and_adds_at_most_50_kbit_s(pupils_count: int) -> None:
    step = norm_mbps(pupils_count + 1) - norm_mbps(pupils_count)
    assert 0.0 <= step <= 0.05 + 1e-9


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 pupils"):
        norm_mbps(-1)


@pytest.mark.parametrize(
    ("facts", "mbps", "basis", "count"),
    [
        ({"norm_mbps": 8.0, "pupils_count": 900}, 8.0, NormBasis.OPERATOR, None),
        ({"pupils_count": 526, "places_count": 900}, 26.3, NormBasis.PUPILS, 526),
        ({"places_count": 900}, 45.0, NormBasis.PLACES, 900),
        ({}, 20.0, NormBasis.FLOOR, None),
    ],
)
def test_a_norm_says_what_it_was_computed_from(
    facts: dict[str, float], mbps: float, basis: NormBasis, count: int | None
) -> None:
    norm = norm_of(School(id="1", name="School", region="KZ-61", **facts))  # type: ignore[arg-type]
    assert (norm.mbps, norm.basis, norm.count) == (mbps, basis, count)
    assert norm.citation == ("" if basis is NormBasis.OPERATOR else NATIONAL_NORM.citation)
