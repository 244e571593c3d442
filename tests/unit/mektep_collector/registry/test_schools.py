from datetime import UTC, date, datetime

import pytest
from sqlalchemy.exc import SQLAlchemyError

from mektep_collector.registry.zones import SchoolZones
from tests.support.school_table import EXAMPLE, Place, registry_with, school_file
from tests.support.set_time import SetTime


def test_a_file_imported_twice_changes_nothing_the_second_time(place: Place) -> None:
    with registry_with(place, SetTime(), EXAMPLE, {"school_id": "8"}) as registry:
        again = registry.schools.take_in(school_file(EXAMPLE, {"school_id": "8"}))
        assert (again.added, again.changed, again.changes, again.absent) == ([], [], [], [])
        assert again.unchanged == ["0007", "8"]


def test_what_changes_is_told_field_by_field(place: Place) -> None:
    with registry_with(place, SetTime(), EXAMPLE, {"school_id": "gone"}) as registry:
        said = school_file({"pupils": "600", "district": ""}, {"school_id": "new"})
        for comparison in (registry.schools.compare(said), registry.schools.take_in(said)):
            assert [(one.school_id, one.field, one.before, one.after) for one in comparison.changes] == [
                ("0007", "district", "Example district", None),
                ("0007", "pupils", "526", "600"),
            ]
            assert [school.id for school in comparison.added] == ["new"]
            assert comparison.absent == ["gone"]
        assert [school.id for school in registry.schools.all()] == ["0007", "gone", "new"]
        changed = registry.schools.get("0007")
        assert changed is not None
        assert (changed.pupils_count, changed.district) == (600, "")


def test_a_new_contract_leaves_the_months_before_it_alone(place: Place) -> None:
    time = SetTime(datetime(2026, 8, 31, 18, 59, tzinfo=UTC))
    with registry_with(place, time, EXAMPLE) as registry:
        comparison = registry.schools.take_in(
            school_file({"contract_from": "2026-09-01", "contract_download_mbps": "100"})
        )
        assert [(one.field, one.before, one.after) for one in comparison.changes] == [
            ("contract_download_mbps", "30", "100"),
            ("contract_from", "2026-01-01", "2026-09-01"),
        ]
        held = registry.schools.commitments("0007")
        assert [(one.valid_from, one.download_mbps) for one in held] == [
            (date(2026, 1, 1), 30.0),
            (date(2026, 9, 1), 100.0),
        ]
        rates = []
        for _ in range(2):
            school = registry.schools.get("0007")
            assert school is not None
            assert school.commitment is not None
            assert registry.schools.all()[0] == school
            rates.append(school.commitment.download_mbps)
            time.pass_s(60.0)
        assert rates == [30.0, 100.0], "the contract begins at midnight of the school's own day"


def test_a_contract_of_the_same_day_is_a_correction(place: Place) -> None:
    with registry_with(place, SetTime(), EXAMPLE) as registry:
        registry.schools.take_in(school_file({"contract_upload_mbps": "15"}))
        assert [one.upload_mbps for one in registry.schools.commitments("0007")] == [15.0]


def test_a_contract_that_is_not_told_goes_on(place: Place) -> None:
    silent = dict.fromkeys(("provider", "contract_download_mbps", "contract_upload_mbps", "contract_from"), "")
    with registry_with(place, SetTime(), EXAMPLE) as registry:
        assert registry.schools.take_in(school_file(silent)).changes == []
        assert len(registry.schools.commitments("0007")) == 1


def test_a_contract_of_the_future_is_not_in_force(place: Place) -> None:
    with registry_with(place, SetTime(), {"contract_from": "2030-01-01"}) as registry:
        assert registry.schools.all()[0].commitment is None
        assert len(registry.schools.commitments("0007")) == 1


def test_a_column_that_the_file_lacks_leaves_its_field_alone(place: Place) -> None:
    with registry_with(place, SetTime(), EXAMPLE) as registry:
        comparison = registry.schools.take_in(school_file({"name": "Renamed"}, columns=("school_id", "name", "region")))
        assert [one.field for one in comparison.changes] == ["name"]
        school = registry.schools.get("0007")
        assert school is not None
        assert (school.name, school.pupils_count, school.technology.value) == ("Renamed", 526, "fibre")


def test_an_import_that_fails_in_its_midst_leaves_nothing(place: Place) -> None:
    with registry_with(place, SetTime()) as registry:
        sound = school_file(EXAMPLE, {"school_id": "8"})
        twice = type(sound)(schools=[*sound.schools, sound.schools[0]], columns=sound.columns, notes=[])
        with pytest.raises(SQLAlchemyError):
            registry.schools.take_in(twice)
        assert registry.schools.all() == []


def test_unknown_schools_are_none(place: Place) -> None:
    with registry_with(place, SetTime()) as registry:
        assert registry.schools.get("0007") is None
        assert registry.schools.commitments("0007") == []


def test_zones_follow_the_schools(place: Place) -> None:
    time = SetTime()
    with registry_with(place, time, {"time_zone": "Asia/Atyrau"}) as registry:
        zones = SchoolZones(registry.schools, time)
        assert str(zones.zone_of("0007")) == "Asia/Atyrau"
        assert str(zones.zone_of("nobody")) == "Asia/Almaty"
        registry.schools.take_in(
            school_file({"time_zone": "Asia/Almaty"}, {"school_id": "8", "time_zone": "Asia/Oral"})
        )
        assert str(zones.zone_of("8")) == "Asia/Oral"
        time.pass_s(61.0)
        assert str(zones.zone_of("0007")) == "Asia/Almaty"
