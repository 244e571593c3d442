"""The door's patience: with those who guess, and with those who come and go."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mektep_collector.access.role import Role
from mektep_collector.access.scope import Scope
from mektep_collector.access.visit import Entered, Refusal, Refused
from mektep_collector.api.door import PeopleDoor
from tests.support.school_table import registry_with
from tests.support.set_time import SetTime

LOGIN, PASSWORD = "aigerim@edu.example", "river lamp seven onion"
HERE, ELSEWHERE = "192.0.2.7", "198.51.100.7"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[PeopleDoor]:
    time = SetTime()
    with registry_with(tmp_path, time) as registry:
        registry.people.add(LOGIN, Role.VIEWER, Scope(None), PASSWORD)
        yield PeopleDoor(registry.people, registry.sessions, time, timedelta(hours=1), timedelta(hours=12))


def test_who_knows_the_password_may_come_and_go_as_often_as_they_like(door: PeopleDoor) -> None:
    for _ in range(8):
        assert isinstance(door.enter(LOGIN, PASSWORD, "", HERE), Entered)


def test_the_sixth_guess_has_to_wait(door: PeopleDoor) -> None:
    answers = [door.enter(LOGIN, f"guess {number}", "", HERE) for number in range(6)]
    assert answers == [Refused(Refusal.WRONG)] * 5 + [Refused(Refusal.TOO_OFTEN, 60)]


def test_who_guesses_all_day_from_one_network_shuts_nobody_out_elsewhere(door: PeopleDoor) -> None:
    for number in range(200):
        door.enter(LOGIN, f"guess {number}", "", HERE)
    assert isinstance(door.enter(LOGIN, PASSWORD, "", ELSEWHERE), Entered)
