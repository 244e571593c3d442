"""The fleet's document is fresh where that is quick, kept where it is not, and never another scope's."""

from collections.abc import Callable

import pytest

from mektep_collector.access.scope import WHOLE_COUNTRY, Scope
from mektep_collector.cli.fleet_keeper import QUICK_S, FleetKeeper
from mektep_collector.reports.build.fleet import FleetDocument, build_fleet
from tests.support import invented_schools as invented
from tests.support.invented_source import filled_memory_store
from tests.support.set_time import SetTime

WHOLE = build_fleet(invented.SCHOOLS, invented.DEVICES, filled_memory_store(), invented.NOW)
SOUTH = Scope(frozenset({"KZ-61"}))


class Making:
    """Makes documents that take as long as told, and counts them."""

    def __init__(self, time: SetTime, took_s: float) -> None:
        self.here_count = self.apart_count = 0
        self.fails = False
        self._time = time
        self._took_s = took_s

    def here(self) -> FleetDocument:
        self.here_count += 1
        self._time.pass_s(self._took_s)
        return WHOLE

    def apart(self) -> FleetDocument:
        self.apart_count += 1
        if self.fails:
            raise OSError("no room for another process")
        return WHOLE


@pytest.fixture
def kept() -> Callable[[float], tuple[FleetKeeper, Making]]:
    def made(took_s: float) -> tuple[FleetKeeper, Making]:
        time = SetTime()
        making = Making(time, took_s)
        return FleetKeeper(making.here, making.apart, time), making

    return made


def test_a_small_fleet_is_made_for_each_reader(kept: Callable[[float], tuple[FleetKeeper, Making]]) -> None:
    keeper, making = kept(QUICK_S / 2)
    for _ in range(3):
        assert keeper.fleet(WHOLE_COUNTRY) is WHOLE
        keeper.run_round()
    assert (making.here_count, making.apart_count) == (3, 0)


def test_a_large_fleet_is_kept_and_renewed_apart(kept: Callable[[float], tuple[FleetKeeper, Making]]) -> None:
    keeper, making = kept(10.0)
    for _ in range(3):
        keeper.fleet(WHOLE_COUNTRY)
    keeper.run_round()
    keeper.fleet(WHOLE_COUNTRY)
    assert (making.here_count, making.apart_count) == (1, 1)


@pytest.mark.parametrize("took_s", [QUICK_S / 2, 10.0])
def test_a_scope_sees_its_regions_and_the_country_stays_whole(
    kept: Callable[[float], tuple[FleetKeeper, Making]], took_s: float
) -> None:
    keeper, _ = kept(took_s)
    for _ in range(2):
        assert {row.region for row in keeper.fleet(SOUTH).rows} == {"KZ-61"}
        assert len(keeper.fleet(WHOLE_COUNTRY).rows) == len(WHOLE.rows) > len(keeper.fleet(SOUTH).rows)


def test_what_cannot_be_renewed_is_not_shown_as_if_it_were_new(
    kept: Callable[[float], tuple[FleetKeeper, Making]],
) -> None:
    keeper, making = kept(10.0)
    keeper.fleet(WHOLE_COUNTRY)
    making.fails = True
    with pytest.raises(OSError, match="no room"):
        keeper.run_round()
    keeper.fleet(WHOLE_COUNTRY)
    assert making.here_count == 2, "made anew, and what stands in the way is told then"
