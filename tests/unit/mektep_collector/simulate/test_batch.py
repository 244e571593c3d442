"""A simulated computer's batches, opened as the collector opens them: signed, whole, marked, at their true times."""

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mektep_collector.journal.correction import from_us
from mektep_collector.journal.entry import TimeMethod
from mektep_collector.journal.submission import Submission, open_submission
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_collector.simulate.batch import READINGS_A_BATCH, SignedBody, bodies, bodies_of
from mektep_collector.simulate.day import LOCAL, Computer
from mektep_collector.simulate.enrolment import Enrolled
from mektep_collector.simulate.fleet import SimulatedSchool, fleet, school
from mektep_collector.simulate.trouble import CLOSES_S, OPENS_S
from mektep_wire import Origin, Purpose, parse_signature, signing_input

MONDAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 16, 4, 30, 12, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
DEVICE_ID = "01900000-0000-7000-8000-000000000007"


def enrolled(of: SimulatedSchool, days_count: int = 14, generation: int = 0) -> Enrolled:
    return Enrolled(
        computer=Computer(of, generation),
        since=MONDAY,
        until=MONDAY + timedelta(days=days_count),
        device_id=DEVICE_ID,
        token="token",
        key=KEY,
    )


def record(origin: Origin = Origin.SIMULATED) -> Device:
    return Device(
        id=DEVICE_ID,
        school_id="simulated-1",
        public_key=KEY.public_key().public_bytes_raw(),
        status=DeviceStatus.ACTIVE,
        enrolled_at=NOW,
        agent_version="0.1.0",
        platform="linux",
        origin=origin,
    )


def opened(sent: SignedBody, received_at: datetime = NOW, origin: Origin = Origin.SIMULATED) -> Submission:
    signature = parse_signature(sent.signature)
    KEY.public_key().verify(signature, signing_input(Purpose.BATCH, sent.body))
    return open_submission(record(origin), gzip.decompress(sent.body), sent.body, signature, received_at)


def test_the_collector_takes_every_reading_of_every_batch() -> None:
    for number in range(1, 13):
        for sent in bodies(enrolled(school(number, 5)), NOW):
            submission = opened(sent)
            assert submission.refused == ()
            assert list(submission.indexes) == list(range(sent.readings_count))


def test_batches_are_full_but_the_last_and_number_the_outbox_without_a_gap() -> None:
    sizes, seqs = [], []
    for sent in bodies(enrolled(school(1, 5)), NOW):
        columns = opened(sent).columns
        assert columns is not None
        sizes.append(sent.readings_count)
        seqs += list(columns.seq)
    assert set(sizes[:-1]) == {READINGS_A_BATCH}
    assert 1 <= sizes[-1] <= READINGS_A_BATCH
    assert seqs == list(range(1, sum(sizes) + 1))
    assert len(seqs) in range(10 * 40, 10 * 60 + 1)


def test_a_batch_holds_together_by_its_signature() -> None:
    sent = next(bodies(enrolled(school(1, 5)), NOW))
    with pytest.raises(InvalidSignature):
        opened(msgspec.structs.replace(sent, body=gzip.compress(gzip.decompress(sent.body) + b" ")))


def test_the_same_seed_makes_the_same_bytes_and_signatures() -> None:
    once, again = (list(bodies(enrolled(school(3, 5)), NOW)) for _ in range(2))
    assert once == again


def test_not_one_simulated_reading_is_taken_from_a_device_that_measures() -> None:
    sent = next(bodies(enrolled(school(1, 5)), NOW))
    submission = opened(sent, origin=Origin.MEASURED)
    assert submission.columns is None
    assert [fate.index for fate in submission.refused] == list(range(sent.readings_count))


@pytest.mark.parametrize("least_s", [0.0, 60.0, 3_600.0, 3e7])
def test_readings_of_a_wrong_clock_come_to_stand_at_their_true_times(least_s: float) -> None:
    wrong = next(one for one in fleet(2_000, 1) if abs(one.wrong_by_s) >= least_s)
    right = msgspec.structs.replace(wrong, wrong_by_s=0.0)
    (true,) = [
        [reading.started_at for day in range(4) for reading in Computer(right, 0).readings(MONDAY + timedelta(day))]
    ]
    times = []
    for sent in bodies(enrolled(wrong, 4), NOW):
        submission = opened(sent)
        assert set(submission.methods) == {TimeMethod.CLOCK_OFFSET}
        times += [from_us(each) for each in submission.times_us]
    assert len(times) == len(true)
    assert all(abs(at - at_true) <= timedelta(milliseconds=2) for at, at_true in zip(times, true, strict=True))


def test_no_clock_however_wrong_puts_a_reading_out_of_school_hours_or_into_quarantine() -> None:
    wrong = [one for one in fleet(3_000, 2) if abs(one.wrong_by_s) > 800]
    assert any(one.wrong_by_s < -3e7 for one in wrong)
    assert any(one.wrong_by_s == 3_600.0 for one in wrong)
    for made in wrong[:40]:
        for sent in bodies(enrolled(made, 1), NOW):
            submission = opened(sent)
            assert TimeMethod.QUARANTINED not in submission.methods
            for at_us in submission.times_us:
                local = from_us(at_us) + LOCAL
                seconds = (local - local.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds()
                assert local.date() == MONDAY
                assert OPENS_S - 0.01 <= seconds <= CLOSES_S + 0.01


def test_a_batch_says_the_time_at_which_it_is_asked_for_so_a_long_delivery_shifts_nothing() -> None:
    device = enrolled(school(2, 5), 14)
    clock: Iterator[datetime] = (NOW + timedelta(minutes=10 * number) for number in range(100))
    true = Computer(device.computer.school, 0)
    started = [reading for day in range(14) for reading in true.readings(MONDAY + timedelta(days=day))]
    days = [MONDAY + timedelta(days=day) for day in range(14)]
    wrong_by = timedelta(seconds=round(device.computer.school.wrong_by_s, 3))
    at = 0
    for number, sent in enumerate(bodies_of(device, days, lambda: next(clock))):
        for at_us in opened(sent, received_at=NOW + timedelta(minutes=10 * number)).times_us:
            assert abs(from_us(at_us) - (started[at].started_at - wrong_by)) <= timedelta(milliseconds=2)
            at += 1
    assert at == len(started) > READINGS_A_BATCH
