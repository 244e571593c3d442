import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.api.assignment_desk import REMEMBERED_S, AssignmentDesk
from mektep_collector.config import Config
from mektep_collector.registry.error import KeyFileError
from mektep_collector.registry.records import Device
from mektep_collector.registry.registry import Registry, open_registry
from mektep_collector.registry.signing_key import open_signing_key
from mektep_wire import Assignment, ProbeName, Purpose, decode, signing_input
from tests.support.newcomer import Newcomer
from tests.support.school_table import EXAMPLE, Place, registry_with, school_file
from tests.support.set_time import SetTime

POINTS = MeasuringPoints(
    ndt7_url="ws://measure.example:8081", echo_url="udp://measure.example:8082", dns_names=("a.kz",)
)

HOUR = timedelta(hours=1)


def enrolled(registry: Registry, time: SetTime) -> Device:
    (issued,) = registry.codes.issue("0007", 1, HOUR, time.now())
    return registry.enrolment.enrol(Newcomer().request(issued.code), time.now()).device


def test_an_assignment_says_what_school_and_settings_say(place: Place) -> None:
    time = SetTime()
    with registry_with(place, time, EXAMPLE) as registry:
        device = enrolled(registry, time)
        config = Config(school_opens_at="07:30", days_off=("2026-12-29/2027-01-07",), month_budget_bytes=10**9)
        issued = AssignmentDesk(registry, POINTS, config, time).issue(device)
        assignment = decode(Assignment, issued.signed.payload)
        assert assignment.device_id == device.id
        assert (assignment.time_zone, assignment.norm_mbps) == ("Asia/Almaty", 26.3)
        assert (assignment.contracted_download_mbps, assignment.contracted_upload_mbps) == (30.0, 10.0)
        assert [(each.weekday.value, f"{each.opens_at:%H:%M}") for each in assignment.school_hours][:2] == [
            ("monday", "07:30"), ("tuesday", "07:30"),
        ]  # fmt: skip
        assert assignment.days_off[0].last.isoformat() == "2027-01-07"
        assert (assignment.throughput_slots_count, assignment.latency_interval_s, assignment.path_interval_s) == (
            4,
            900,
            3600,
        )
        assert [(one.probe, one.address) for one in assignment.targets] == [
            (ProbeName.THROUGHPUT, "ws://measure.example:8081"),
            (ProbeName.LATENCY, "udp://measure.example:8082"),
            (ProbeName.PATH, "ws://measure.example:8081"),
            (ProbeName.PATH, "dns://a.kz"),
        ]


def test_an_assignment_bears_the_collectors_signature(place: Place) -> None:
    time = SetTime()
    with registry_with(place, time, EXAMPLE) as registry:
        signed = AssignmentDesk(registry, POINTS, Config(), time).issue(enrolled(registry, time)).signed
        key = Ed25519PublicKey.from_public_bytes(registry.public_key)
        key.verify(signed.signature, signing_input(Purpose.ASSIGNMENT, signed.payload))


def test_what_does_not_change_stays_the_same_to_the_byte(place: Place) -> None:
    time = SetTime()
    with registry_with(place, time, EXAMPLE) as registry:
        device = enrolled(registry, time)
        first = AssignmentDesk(registry, POINTS, Config(), time).issue(device)
        time.pass_s(86_400)
        assert AssignmentDesk(registry, POINTS, Config(), time).issue(device) == first


def test_versions_rise_whatever_the_clock_does(place: Place) -> None:
    time = SetTime()
    versions = []
    with registry_with(place, time, EXAMPLE) as registry:
        device = enrolled(registry, time)
        desk = AssignmentDesk(registry, POINTS, Config(), time)
        versions.append(desk.issue(device).version)
        for pupils, at in (("600", time.now()), ("700", datetime(2016, 1, 1, tzinfo=UTC)), ("800", time.now())):
            time.set_wall(at)
            registry.schools.take_in(school_file({"pupils": pupils}))
            versions.append(desk.issue(device).version)
    assert versions == sorted(set(versions))
    assert len(versions) == 4


def test_versions_rise_too_after_the_registry_came_back_from_a_backup(tmp_path: Path) -> None:
    time = SetTime()
    with registry_with(tmp_path, time, EXAMPLE) as registry:
        device = enrolled(registry, time)
        AssignmentDesk(registry, POINTS, Config(), time).issue(device)
    backup = (tmp_path / "registry.sqlite").read_bytes()
    with registry_with(tmp_path, time, {"pupils": "600"}) as registry:
        time.pass_s(3_600)
        lost = AssignmentDesk(registry, POINTS, Config(), time).issue(device)
    (tmp_path / "registry.sqlite").write_bytes(backup)
    with registry_with(tmp_path, time, {"pupils": "700"}) as registry:
        time.pass_s(3_600)
        assert AssignmentDesk(registry, POINTS, Config(), time).issue(device).version > lost.version


def test_the_version_for_receipts_is_at_most_a_minute_old(place: Place) -> None:
    time = SetTime()
    with registry_with(place, time, EXAMPLE) as registry:
        device = enrolled(registry, time)
        desk = AssignmentDesk(registry, POINTS, Config(), time)
        assert desk.version(device) > 0
        first = desk.issue(device).version
        assert desk.version(device) == first
        registry.schools.take_in(school_file({"pupils": "600"}))
        assert desk.version(device) == first
        time.pass_s(REMEMBERED_S)
        announced = desk.version(device)
        assert announced > first
        assert desk.issue(device).version >= announced
        assert desk.version(device) == desk.issue(device).version


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "collector.pem"
    made = open_signing_key(path)
    assert open_signing_key(path).public_bytes == made.public_bytes
    assert [found.name for found in path.parent.iterdir()] == ["collector.pem"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_spoiled_key_is_told_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys" / "collector.ed25519.pem"
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match=r"collector\.ed25519\.pem is not a private key"):
        open_registry(tmp_path)
    assert path.read_bytes() == content


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "collector.pem"
    open_signing_key(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        open_signing_key(path)


def test_each_device_draws_its_audits_by_a_seed_of_its_own_that_outlives_a_restart(tmp_path: Path) -> None:
    time = SetTime()
    with registry_with(tmp_path, time, EXAMPLE) as registry:
        one, other = enrolled(registry, time), enrolled(registry, time)
        assert registry.assignments.given(one.id) is None
        desk = AssignmentDesk(registry, POINTS, Config(audit_ratio=0.1, shortcut_error_max_ratio=0.08), time)
        desk.issue(one)
        given = registry.assignments.given(one.id)
        assert given is not None
        assert (given.audit_ratio, given.shortcut_error_max_ratio, given.issued_at) == (0.1, 0.08, time.now())
        seeds = {registry.audit_seeds.of(one.id), registry.audit_seeds.of(other.id)}
        assert given.audit_seed == registry.audit_seeds.of(one.id)
        assert len(seeds) == 2
    again = open_registry(tmp_path)
    try:
        assert {again.audit_seeds.of(one.id), again.audit_seeds.of(other.id)} == seeds
        assert again.assignments.given(one.id) == given
    finally:
        again.close()
