"""Schools that do not exist: the same for a seed, plausible, and never to be taken for real ones."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.registry.regions import REGIONS
from mektep_collector.simulate.fleet import PROVIDERS, fleet, school
from mektep_collector.simulate.link import RANGES, LinkKind

SEEDS = st.integers(0, 2**32)


@given(SEEDS)
def test_the_same_seed_makes_the_same_bytes(seed: int) -> None:
    assert msgspec.json.encode(fleet(20, seed)) == msgspec.json.encode(fleet(20, seed))


@given(SEEDS)
def test_another_seed_makes_other_schools(seed: int) -> None:
    assert fleet(20, seed) != fleet(20, seed + 1)


@given(SEEDS, st.integers(1, 30))
def test_a_larger_fleet_begins_with_the_smaller(seed: int, count: int) -> None:
    assert fleet(30, seed)[:count] == fleet(count, seed)


@given(SEEDS, st.integers(1, 1_000_000))
def test_each_line_keeps_to_the_ranges_of_its_kind(seed: int, number: int) -> None:
    link = school(number, seed).link
    reach = RANGES[link.kind]
    assert reach.download_mbps[0] <= link.download_mbps <= reach.download_mbps[1]
    assert reach.upload_ratio[0] - 1e-9 <= link.upload_mbps / link.download_mbps <= reach.upload_ratio[1] + 1e-9
    assert reach.idle_rtt_ms[0] <= link.idle_rtt_ms <= reach.idle_rtt_ms[1]
    assert reach.loss_ratio[0] <= link.loss_ratio <= reach.loss_ratio[1]


@given(SEEDS, st.integers(1, 1_000_000))
def test_a_school_says_in_its_id_name_and_provider_that_it_is_simulated(seed: int, number: int) -> None:
    made = school(number, seed)
    assert made.id.startswith("simulated-")
    assert made.name.startswith("Simulated ")
    assert made.provider.startswith("Simulated ")
    assert 20 <= made.pupils_count <= 2_500


def test_a_country_has_every_region_provider_and_kind_of_line_by_its_share() -> None:
    made = fleet(7_500, 1)
    assert {each.region for each in made} == set(REGIONS)
    assert {each.provider for each in made} == set(PROVIDERS)
    for kind in LinkKind:
        share = sum(each.link.kind is kind for each in made) / len(made)
        assert share == pytest.approx(RANGES[kind].share, abs=0.03)
    assert sum(each.share for each in RANGES.values()) == pytest.approx(1)


@pytest.mark.parametrize("count", [0, -1])
def test_a_fleet_without_schools_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="at least one school"):
        fleet(count, 1)


def test_schools_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        school(0, 1)
