"""Versions of assignments for receipts, also while the registry's database is away."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.api.assignment_desk import REMEMBERED_S, AssignmentDesk
from mektep_collector.config import Config
from mektep_collector.registry.records import Device
from mektep_collector.registry.registry import DATABASE, Registry
from tests.support.newcomer import Newcomer
from tests.support.school_table import EXAMPLE, registry_with, school_file
from tests.support.set_time import SetTime


class Desk:
    """A desk with two devices of a school, whose registry can be taken away and brought back."""

    def __init__(self, folder: Path, registry: Registry, time: SetTime) -> None:
        self.time = time
        self.registry = registry
        points = MeasuringPoints(ndt7_url="wss://measure.example", echo_url=None)
        self.desk = AssignmentDesk(registry, points, Config(), time)
        codes = registry.codes.issue(EXAMPLE["school_id"], 2, timedelta(hours=1), time.now())
        self.known, self.unknown = (
            registry.enrolment.enrol(Newcomer(seed).request(issued.code), time.now()).device
            for seed, issued in enumerate(codes, start=1)
        )
        self._path = folder / DATABASE

    def take(self) -> None:
        self.registry.close()
        self._path.rename(self._path.with_suffix(".aside"))
        self._path.mkdir()

    def bring_back(self) -> None:
        self._path.rmdir()
        self._path.with_suffix(".aside").rename(self._path)

    def version(self, device: Device) -> int:
        return self.desk.version(device)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    time = SetTime()
    with registry_with(tmp_path, time, EXAMPLE) as registry:
        yield Desk(tmp_path, registry, time)


def test_what_is_known_is_said_while_the_registry_is_away_and_news_when_it_is_back(desk: Desk) -> None:
    issued = desk.desk.issue(desk.known).version
    assert desk.version(desk.known) == issued
    desk.registry.schools.take_in(school_file({"contract_download_mbps": "99"}))
    desk.take()
    desk.time.pass_s(10 * REMEMBERED_S)
    assert (desk.version(desk.known), desk.version(desk.unknown)) == (issued, 0)
    desk.bring_back()
    assert desk.version(desk.known) == issued, "it is not asked at every request"
    desk.time.pass_s(6.0)
    assert desk.version(desk.known) > issued
    assert desk.version(desk.unknown) == 1
