from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, Engine, delete, insert, select, update

from mektep_collector.registry.change_chain import NO_HASH, Action, Change, first_fault, hash_of
from mektep_collector.registry.error import SchoolUnknown
from mektep_collector.registry.registry import Registry
from mektep_collector.registry.tables import CHANGES, CHANGES_HEAD
from tests.support.newcomer import Newcomer
from tests.support.school_table import EXAMPLE, Place, registry_with
from tests.support.set_time import SetTime

DAY = timedelta(hours=24)


@pytest.fixture
def registry(place: Place) -> Generator[Registry, None, None]:
    time = SetTime()
    with registry_with(place, time, EXAMPLE) as opened:
        (issued,) = opened.codes.issue("0007", 1, DAY, time.now(), "aigerim")
        request = Newcomer().request(issued.code)
        device = opened.enrolment.enrol(request, time.now()).device
        opened.enrolment.enrol(request, time.now())
        opened.devices.revoke(device.id, "aigerim")
        opened.devices.revoke(device.id, "aigerim")
        yield opened


@pytest.fixture
def intruder(registry: Registry, place: Place) -> Generator[Engine, None, None]:
    """Somebody who can write the database, past the registry."""
    url = place.url.replace("postgresql:", "postgresql+psycopg:") or f"sqlite:///{place.folder / 'registry.sqlite'}"
    engine = sqlalchemy.create_engine(url)
    yield engine
    engine.dispose()


def fault_at(registry: Registry) -> int:
    fault = registry.changes.verify().fault
    assert fault is not None
    return fault.number


def test_every_change_is_in_the_log_with_who_made_it(registry: Registry) -> None:
    told = [(change.action, change.actor.split()[0]) for change in reversed(registry.changes.newest(10))]
    assert told == [
        (Action.SCHOOLS_IMPORTED, "collector"),
        (Action.CODES_ISSUED, "aigerim"),
        (Action.DEVICE_ENROLLED, "code"),
        (Action.TOKEN_ISSUED, "code"),
        (Action.DEVICE_REVOKED, "aigerim"),
    ]
    verified = registry.changes.verify()
    assert (verified.count, verified.fault) == (5, None)


def test_an_edited_change_is_found(registry: Registry, intruder: Engine) -> None:
    edits: list[dict[str, object]] = [{"actor": "nobody"}, {"object": "school 1"}, {"after_hash": NO_HASH}]
    for values in edits:
        with intruder.begin() as connection:
            kept = connection.execute(select(CHANGES).where(CHANGES.c.number == 3)).one()._mapping
            connection.execute(update(CHANGES).where(CHANGES.c.number == 3).values(**values))
        assert fault_at(registry) == 3
        with intruder.begin() as connection:
            connection.execute(update(CHANGES).where(CHANGES.c.number == 3).values(**kept))
        assert registry.changes.verify().fault is None


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_removed_change_is_found(registry: Registry, intruder: Engine, number: int) -> None:
    with intruder.begin() as connection:
        connection.execute(delete(CHANGES).where(CHANGES.c.number == number))
    assert fault_at(registry) == number


def test_reordered_changes_are_found(registry: Registry, intruder: Engine) -> None:
    with intruder.begin() as connection:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(CHANGES).where(CHANGES.c.number == old).values(number=new))
    assert fault_at(registry) == 2


def test_an_edit_with_its_hash_made_anew_is_found_at_the_next_change(registry: Registry, intruder: Engine) -> None:
    with intruder.begin() as connection:
        rewrite(connection, 3, actor="nobody")
    assert fault_at(registry) == 4


def test_an_edit_of_the_last_change_is_found_although_its_hash_was_made_anew(
    registry: Registry, intruder: Engine
) -> None:
    with intruder.begin() as connection:
        rewrite(connection, 5, actor="nobody")
    assert fault_at(registry) == 5


def test_a_cut_or_wholly_forged_log_lacks_the_seal(registry: Registry, intruder: Engine) -> None:
    with intruder.begin() as connection:
        connection.execute(delete(CHANGES).where(CHANGES.c.number == 5))
        last = connection.execute(select(CHANGES).where(CHANGES.c.number == 4)).one()
        connection.execute(update(CHANGES_HEAD).values(number=4, hash=last.hash))
    fault = registry.changes.verify().fault
    assert fault is not None
    assert "seal" in fault.reason


def test_an_added_change_is_found(registry: Registry, intruder: Engine) -> None:
    with intruder.begin() as connection:
        row = dict(connection.execute(select(CHANGES).where(CHANGES.c.number == 5)).one()._mapping)
        connection.execute(insert(CHANGES).values(**row | {"number": 6}))
    assert fault_at(registry) == 6


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_an_older_copy_is_found_by_an_end_noted_elsewhere(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "registry.sqlite"
    older = file.read_bytes()
    registry.codes.issue("0007", 1, DAY, SetTime().now())
    noted = registry.changes.verify()
    assert registry.changes.verify(noted.count, noted.end_hash).fault is None
    file.write_bytes(older)
    assert registry.changes.verify().fault is None
    found = registry.changes.verify(noted.count, noted.end_hash).fault
    assert found is not None
    assert found.number == noted.count


def test_what_fails_leaves_no_change_in_the_log(registry: Registry) -> None:
    with pytest.raises(SchoolUnknown):
        registry.codes.issue("x", 1, DAY, SetTime().now())
    assert registry.changes.verify().count == 5


@given(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.data())
def test_any_single_tampering_is_found(objects: list[str], data: st.DataObject) -> None:
    chain: list[Change] = []
    for number, changed in enumerate(objects, start=1):
        open_change = Change(
            number=number, at=SetTime().now(), actor="a", action="b", object=changed, before_hash=None,
            after_hash=None, previous_hash=chain[-1].hash if chain else NO_HASH,
        )  # fmt: skip
        chain.append(sealed(open_change))
    end = chain[-1]
    assert first_fault(chain, end.number, end.hash) is None
    place = data.draw(st.integers(0, len(chain) - 1))
    shorter = chain[:place] + chain[place + 1 :]
    fault = first_fault(shorter, end.number, end.hash)
    assert fault is not None
    assert fault.number == place + 1
    edited = list(chain)
    edited[place] = sealed(replace(chain[place], object=chain[place].object + "x"))
    assert first_fault(edited, end.number, end.hash) is not None


def sealed(change: Change) -> Change:
    return replace(change, hash=hash_of(change))


def rewrite(connection: Connection, number: int, actor: str) -> None:
    row = connection.execute(select(CHANGES).where(CHANGES.c.number == number)).one()
    forged = sealed(replace(Change(**row._mapping), actor=actor))
    connection.execute(update(CHANGES).where(CHANGES.c.number == number).values(actor=actor, hash=forged.hash))
