"""Lines of simulated schools: of each kind its share, within its ranges, satellites as far away as they are."""

from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.registry.records import Technology
from mektep_collector.simulate.fleet import fleet
from mektep_collector.simulate.link import RANGES, LinkKind, draw_link

SATELLITES = (LinkKind.GEOSTATIONARY, LinkKind.LOW_ORBIT)


@given(st.integers())
def test_the_same_chance_draws_the_same_line(seed: int) -> None:
    assert draw_link(Random(seed)) == draw_link(Random(seed))


@given(st.integers())
def test_a_line_sends_no_faster_than_it_receives(seed: int) -> None:
    link = draw_link(Random(seed))
    assert 0 < link.upload_mbps <= link.download_mbps


def test_every_range_goes_from_less_to_more_and_is_possible() -> None:
    assert set(RANGES) == set(LinkKind)
    for reach in RANGES.values():
        assert 0 < reach.share < 1
        for low, high in (reach.download_mbps, reach.upload_ratio, reach.idle_rtt_ms, reach.loss_ratio):
            assert 0 <= low < high
        assert reach.upload_ratio[1] <= 1
        assert reach.loss_ratio[1] <= 0.05


def test_a_fifth_of_the_schools_is_on_satellites_and_the_register_says_so() -> None:
    made = fleet(4_000, 11)
    by_satellite = [one for one in made if one.link.kind in SATELLITES]
    assert len(by_satellite) / len(made) == pytest.approx(0.2, abs=0.03)
    assert {one.record(date(2026, 11, 16)).technology for one in by_satellite} == {Technology.SATELLITE}


def test_geostationary_satellites_are_half_a_second_away_and_no_other_line_is() -> None:
    for kind, reach in RANGES.items():
        assert (reach.idle_rtt_ms[0] >= 500) is (kind is LinkKind.GEOSTATIONARY)


def test_the_page_on_simulation_tells_these_ranges() -> None:
    page = (Path(__file__).parents[4] / "docs" / "simulate.md").read_text("utf-8")
    for kind, reach in RANGES.items():
        rate, rtt = (f"{low:g} to {high:g}" for low, high in (reach.download_mbps, reach.idle_rtt_ms))
        upload, loss = (f"{100 * low:g} to {100 * high:g} %" for low, high in (reach.upload_ratio, reach.loss_ratio))
        assert f"| {kind} | {100 * reach.share:g} % | {rate} | {upload} | {rtt} | {loss} |" in page
