"""What the collector makes of a simulated school's troubles: each is told on its page as what it was."""

import gzip
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mektep_collector.journal.correction import from_us
from mektep_collector.journal.entry import Accepted, Entry
from mektep_collector.journal.submission import open_submission
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_collector.reports.build.school import SchoolDocument, build_school
from mektep_collector.simulate.batch import bodies
from mektep_collector.simulate.day import LOCAL, Computer
from mektep_collector.simulate.enrolment import Enrolled
from mektep_collector.simulate.fleet import SimulatedSchool, fleet
from mektep_collector.simulate.late import HoldReason, hold_on
from mektep_collector.simulate.trouble import troubles
from mektep_collector.sla.freshness import Freshness
from mektep_wire import Origin, OutageCause, parse_signature, unpack
from tests.support.memory_store import MemoryStore

FIRST = date(2026, 11, 2)
DAYS = 12
NOW = datetime(2026, 11, 14, 3, tzinfo=UTC)
COUNTRY = fleet(2_000, 1)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def page(school: SimulatedSchool, *spells: range) -> SchoolDocument:
    """Return a school's document after all that its computers, each with its days, have been taken in."""
    store = MemoryStore(lambda _: ZoneInfo("Asia/Almaty"))
    devices = []
    accepted: list[Accepted] = []
    for generation, days in enumerate(spells or (range(DAYS),)):
        record = Device(
            id=f"01900000-0000-7000-8000-{generation:012d}",
            school_id=school.id,
            public_key=KEY.public_key().public_bytes_raw(),
            status=DeviceStatus.ACTIVE,
            enrolled_at=NOW,
            agent_version="0.1.0",
            platform="linux",
            origin=Origin.SIMULATED,
        )
        devices.append(record)
        accepted += taken_in(school, generation, record, days)
    store.put([Entry(position=1, received_at=NOW, accepted=accepted)])
    return build_school(school.record(FIRST), devices, store, NOW)


def taken_in(school: SimulatedSchool, generation: int, record: Device, days: range) -> Sequence[Accepted]:
    device = Enrolled(
        computer=Computer(school, generation),
        since=FIRST + timedelta(days=days.start),
        until=FIRST + timedelta(days=days.stop),
        device_id=record.id,
        token="token",
        key=KEY,
    )
    found = []
    for sent in bodies(device, NOW):
        signature = parse_signature(sent.signature)
        opened = open_submission(record, gzip.decompress(sent.body), sent.body, signature, NOW)
        assert opened.columns is not None
        for reading, at_us, method in zip(unpack(opened.columns), opened.times_us, opened.methods, strict=True):
            found.append(
                Accepted(
                    reading=reading, device_id=record.id, school_id=school.id, at=from_us(at_us), time_method=method
                )
            )
    return found


def local(day: date, at_s: float) -> datetime:
    return datetime.combine(day, time(), UTC) - LOCAL + timedelta(seconds=at_s)


def test_a_power_cut_is_told_with_its_times_and_not_counted_against_the_line() -> None:
    day, school = next(
        (day, one)
        for one in COUNTRY
        for day in (FIRST, FIRST + timedelta(days=1))
        if [each.cause for each in troubles(one, day)] == [OutageCause.POWER] and abs(one.wrong_by_s) > 60
    )
    (cut,) = troubles(school, day)
    (told,) = [one for one in page(school).outages if local(day, 0) < one.begin < local(day, 86_400)]
    assert (told.cause, told.is_of_the_line, told.boots_count) == (OutageCause.POWER, False, 2)
    assert abs(told.begin - local(day, cut.begin_s)) < timedelta(seconds=0.01)
    assert abs(told.end - local(day, cut.end_s)) < timedelta(seconds=0.01)
    assert told.failed_runs_count == 0


def test_a_line_that_was_away_for_days_is_an_outage_of_the_provider_on_each_and_lowers_availability() -> None:
    school = next(
        one for one in COUNTRY if (hold := hold_on(one, FIRST)) is not None and hold.reason is HoldReason.LINE_AWAY
    )
    document = page(school)
    whole = [one for one in document.outages if one.duration_s > 39_000]
    assert {one.cause for one in whole} == {OutageCause.PROVIDER}
    assert all(one.is_of_the_line and one.failed_runs_count > 10 for one in whole)
    assert document.availability.outage_s >= sum(one.duration_s for one in whole) > 0
    assert document.availability.ratio is not None
    assert document.availability.ratio < 0.95


def test_a_machine_that_fell_silent_is_silent_and_keeps_its_last_day() -> None:
    (school,) = COUNTRY[:1]
    assert page(school).freshness is Freshness.LIVE
    silent = page(school, range(3))
    assert silent.freshness is Freshness.SILENT
    assert silent.last_reading_at is not None
    assert (silent.last_reading_at + LOCAL).date() == FIRST + timedelta(days=2)
    assert page(school, range(0)).freshness is Freshness.NEVER


def test_a_swapped_computer_is_two_devices_whose_readings_follow_each_other() -> None:
    first, second = page(COUNTRY[0], range(4), range(4, DAYS)).devices
    assert first.last_reading_at is not None
    assert second.last_reading_at is not None
    assert (first.last_reading_at + LOCAL).date() == FIRST + timedelta(days=3)
    assert (second.last_reading_at + LOCAL).date() == FIRST + timedelta(days=DAYS - 1)


def test_all_of_it_is_marked() -> None:
    assert page(COUNTRY[1], range(1)).origin is Origin.SIMULATED
