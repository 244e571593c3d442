"""A simulated fleet in a real register: its schools, its computers as devices, and never beside schools that exist."""

from collections import Counter
from collections.abc import Generator
from datetime import date, timedelta
from pathlib import Path

import pytest

from mektep_collector.registry.records import DeviceStatus
from mektep_collector.registry.registry import Registry
from mektep_collector.simulate.enrolment import (
    Enrolled,
    RealSchoolsError,
    SimulatedFleetError,
    check_import,
    check_register,
    enrol,
)
from mektep_collector.simulate.fleet import SimulatedSchool, fleet
from mektep_wire import Origin
from tests.support.school_table import EXAMPLE, registry_with
from tests.support.set_time import SetTime

FIRST = date(2026, 10, 24)
DAYS = 30
COUNTRY = fleet(600, 1)


@pytest.fixture
def registry(tmp_path: Path) -> Generator[Registry, None, None]:
    with registry_with(tmp_path, SetTime()) as opened:
        yield opened


def enrolled(registry: Registry, schools: list[SimulatedSchool]) -> list[Enrolled]:
    return list(enrol(registry, schools, FIRST, DAYS, SetTime().now(), lambda _done, _whole: None))


def swapped() -> SimulatedSchool:
    return next(one for one in COUNTRY if one.swapped_on is not None and one.swapped_on < DAYS and not one.silent_from)


def silent() -> SimulatedSchool:
    return next(one for one in COUNTRY if one.silent_from is not None and one.silent_from < DAYS and not one.swapped_on)


def test_each_school_is_in_the_register_with_a_computer_that_is_marked_and_may_send(registry: Registry) -> None:
    schools = [one for one in COUNTRY[:3] if one.swapped_on is None]
    devices = enrolled(registry, schools)
    assert {one.id for one in registry.schools.all()} == {one.id for one in schools}
    listed = registry.devices.all()
    assert {one.id for one in listed} == {one.device_id for one in devices}
    assert {(one.origin, one.status) for one in listed} == {(Origin.SIMULATED, DeviceStatus.ACTIVE)}
    for device in devices:
        sender = registry.senders.authenticate(device.token)
        assert (sender.id, sender.school_id) == (device.device_id, device.computer.school.id)
        assert sender.public_key == device.key.public_key().public_bytes_raw()


def test_the_register_has_a_schools_name_region_provider_and_contract_as_they_were_drawn(registry: Registry) -> None:
    (made,) = COUNTRY[:1]
    enrolled(registry, [made])
    school = registry.schools.get(made.id)
    assert school == made.record(FIRST)
    assert school is not None
    assert school.commitment is not None
    assert school.commitment.provider.startswith("Simulated ")
    assert school.district.startswith("Simulated ")


def test_a_swapped_computer_is_a_second_device_with_a_key_and_an_outbox_of_its_own(registry: Registry) -> None:
    made = swapped()
    assert made.swapped_on is not None
    first, second = enrolled(registry, [made])
    assert len(registry.devices.of_school(made.id)) == 2
    assert first.device_id != second.device_id
    assert first.key.public_key() != second.key.public_key()
    assert first.computer.epoch != second.computer.epoch
    swap = FIRST + timedelta(days=made.swapped_on)
    assert (first.since, first.until, second.since, second.until) == (FIRST, swap, swap, FIRST + timedelta(days=DAYS))


def test_a_silent_computer_ends_for_good_on_its_day(registry: Registry) -> None:
    made = silent()
    assert made.silent_from is not None
    (device,) = enrolled(registry, [made])
    assert device.until == FIRST + timedelta(days=made.silent_from) < FIRST + timedelta(days=DAYS)


def test_few_computers_fall_silent_or_are_swapped() -> None:
    kinds = Counter((one.silent_from is not None, one.swapped_on is not None) for one in fleet(5_000, 3))
    assert (kinds[True, False] + kinds[True, True]) / 5_000 == pytest.approx(0.04, abs=0.01)
    assert (kinds[False, True] + kinds[True, True]) / 5_000 == pytest.approx(0.02, abs=0.008)


def test_progress_is_told_for_each_school(registry: Registry) -> None:
    told: list[tuple[int, int]] = []
    list(enrol(registry, COUNTRY[:3], FIRST, DAYS, SetTime().now(), lambda done, whole: told.append((done, whole))))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_register_with_schools_that_exist_is_refused_by_the_name_of_one(tmp_path: Path) -> None:
    with (
        registry_with(tmp_path, SetTime(), EXAMPLE) as registry,
        pytest.raises(RealSchoolsError, match=r"such as 0007 \(Example school\)"),
    ):
        check_register(registry)


def test_a_register_with_an_earlier_fleet_is_refused(registry: Registry) -> None:
    check_register(registry)
    enrolled(registry, COUNTRY[:1])
    with pytest.raises(RealSchoolsError, match="a fleet was simulated here before"):
        check_register(registry)


def test_schools_that_exist_are_not_imported_beside_a_fleet(registry: Registry) -> None:
    check_import(registry)
    enrolled(registry, COUNTRY[:1])
    with pytest.raises(SimulatedFleetError, match="another data directory"):
        check_import(registry)
