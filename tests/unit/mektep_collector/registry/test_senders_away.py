"""Who is let in while the registry's database is away."""

from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mektep_collector.registry.error import RegistryAway
from mektep_collector.registry.registry import DATABASE, Registry
from mektep_collector.registry.senders import REMEMBERED_S, TRUSTED_S
from tests.support.newcomer import Newcomer
from tests.support.school_table import EXAMPLE, registry_with
from tests.support.set_time import SetTime


class Away:
    """A registry whose file can be taken away and brought back, with the tokens of two of its devices."""

    def __init__(self, folder: Path, registry: Registry, time: SetTime) -> None:
        codes = registry.codes.issue("0007", 2, timedelta(hours=1), time.now())
        self.known, self.unknown = (
            registry.enrolment.enrol(Newcomer().request(issued.code), time.now()).token for issued in codes
        )
        self.senders = registry.senders
        self._registry = registry
        self._path = folder / DATABASE

    def seen_at(self, token: str) -> datetime | None:
        """Return when a device is said to have been seen last."""
        device = self._registry.devices.get(self.senders.authenticate(token).id)
        return device.last_seen_at if device is not None else None

    def take(self) -> None:
        self._registry.close()  # lets go of the connections that it keeps; the next use opens new ones
        self._path.rename(self._path.with_suffix(".aside"))
        self._path.mkdir()

    def bring_back(self) -> None:
        self._path.rmdir()
        self._path.with_suffix(".aside").rename(self._path)


@pytest.fixture
def time() -> SetTime:
    return SetTime()


@pytest.fixture
def away(tmp_path: Path, time: SetTime) -> Generator[Away, None, None]:
    with registry_with(tmp_path, time, EXAMPLE) as registry:
        found = Away(tmp_path, registry, time)
        found.senders.authenticate(found.known)
        found.take()
        yield found


def test_who_was_let_in_lately_is_let_in_still(away: Away, time: SetTime) -> None:
    time.pass_s(REMEMBERED_S + TRUSTED_S - 1.0)
    assert away.senders.authenticate(away.known).school_id == "0007"


def test_after_a_quarter_of_an_hour_nobody_is_trusted_unseen(away: Away, time: SetTime) -> None:
    time.pass_s(REMEMBERED_S + TRUSTED_S)
    with pytest.raises(RegistryAway):
        away.senders.authenticate(away.known)


def test_who_was_never_seen_has_to_wait(away: Away) -> None:
    with pytest.raises(RegistryAway):
        away.senders.authenticate(away.unknown)


def test_a_registry_that_is_back_is_asked_again_after_some_seconds(away: Away, time: SetTime) -> None:
    with pytest.raises(RegistryAway):
        away.senders.authenticate(away.unknown)
    away.bring_back()
    with pytest.raises(RegistryAway):
        away.senders.authenticate(away.unknown)
    time.pass_s(6.0)
    assert away.senders.authenticate(away.unknown).school_id == "0007"


def test_who_came_while_it_was_away_is_written_down_when_it_is_back(away: Away, time: SetTime) -> None:
    with pytest.raises(RegistryAway):
        away.senders.write_seen()
    away.bring_back()
    time.pass_s(6.0)
    away.senders.write_seen()
    assert away.seen_at(away.known) == time.now()
