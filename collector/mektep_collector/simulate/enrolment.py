"""A simulated fleet in the register: schools and their computers, each marked as simulated by its code."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mektep_collector.registry.registry import Registry
from mektep_collector.registry.school_file.columns import COLUMNS
from mektep_collector.registry.school_file.read import SchoolFile
from mektep_collector.simulate.day import Computer
from mektep_collector.simulate.fleet import SimulatedSchool
from mektep_wire import VERSION, EnrolmentRequest, Origin, Platform, Purpose, signing_input

_BY: Final = "simulation"
_ID_START: Final = "simulated-"
_LIFETIME: Final = timedelta(hours=1)


class RealSchoolsError(Exception):
    """The register holds schools that exist, or a fleet that was simulated before."""


class SimulatedFleetError(Exception):
    """The register holds a simulated fleet."""


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated computer as a device: what it measures from `since` up to, not with, `until`."""

    computer: Computer
    since: date
    until: date
    device_id: str
    token: str
    key: Ed25519PrivateKey


def check_register(registry: Registry) -> None:
    """Refuse a register that a simulation would spoil. Raises RealSchoolsError."""
    schools = registry.schools.all()
    real = next((school for school in schools if not school.id.startswith(_ID_START)), None)
    if real is not None:
        raise RealSchoolsError(
            f"the register holds schools that exist, such as {real.id} ({real.name}); simulate into a data directory "
            "of its own: --data-dir FOLDER"
        )
    if registry.devices.all():
        raise RealSchoolsError(
            "a fleet was simulated here before; simulate into another data directory: --data-dir FOLDER"
        )


def check_import(registry: Registry) -> None:
    """Refuse schools that exist where a fleet is simulated: both would be in the country's counts.

    Raises SimulatedFleetError.
    """
    if any(device.origin is Origin.SIMULATED for device in registry.devices.all()):
        raise SimulatedFleetError(
            "a fleet was simulated here, and schools that exist are never counted with it; import them into another "
            "data directory: --data-dir FOLDER"
        )


def enrol(
    registry: Registry,
    schools: Sequence[SimulatedSchool],
    first: date,
    days_count: int,
    now: datetime,
    progress: Callable[[int, int], None],
) -> Iterator[Enrolled]:
    """Put schools and their computers into the register, and yield the computers as devices.

    `progress` is told how many schools are done, of how many. Raises RegistryError.
    """
    records = [school.record(first) for school in schools]
    registry.schools.take_in(SchoolFile(schools=records, columns=frozenset(COLUMNS), notes=()), _BY)
    for done, school in enumerate(schools, start=1):
        for generation, since, until in _spells(school, first, days_count):
            yield _enrolled(registry, Computer(school, generation), since, until, now)
        progress(done, len(schools))


def _spells(school: SimulatedSchool, first: date, days_count: int) -> Iterable[tuple[int, date, date]]:
    """Return the generations of a school's computer with the days of each."""
    end = days_count if school.silent_from is None else min(days_count, school.silent_from)
    swap = school.swapped_on if school.swapped_on is not None and school.swapped_on < end else None
    cuts = [0, end] if swap is None else [0, swap, end]
    for generation, (since, until) in enumerate(pairwise(cuts)):
        yield generation, first + timedelta(days=since), first + timedelta(days=until)


def _enrolled(registry: Registry, computer: Computer, since: date, until: date, now: datetime) -> Enrolled:
    (issued,) = registry.codes.issue(computer.school.id, 1, _LIFETIME, now, _BY, Origin.SIMULATED)
    key = Ed25519PrivateKey.generate()
    enrolled = registry.enrolment.enrol(
        EnrolmentRequest(
            code=issued.code,
            public_key=key.public_key().public_bytes_raw(),
            proof=key.sign(signing_input(Purpose.ENROLMENT, issued.code.encode("ascii"))),
            agent_version=VERSION,
            platform=Platform.LINUX,
        ),
        now,
    )
    return Enrolled(
        computer=computer,
        since=since,
        until=until,
        device_id=enrolled.device.id,
        token=enrolled.token,
        key=key,
    )
