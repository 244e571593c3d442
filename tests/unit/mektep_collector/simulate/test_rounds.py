"""The days of a simulation: who delivers on which, and what comes late, in one burst, and after others' later days."""

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mektep_collector.journal.submission import open_batch
from mektep_collector.simulate.day import Computer
from mektep_collector.simulate.enrolment import Enrolled
from mektep_collector.simulate.fleet import SimulatedSchool, fleet
from mektep_collector.simulate.late import delivers_on, hold_on
from mektep_collector.simulate.rounds import rounds

FIRST = date(2026, 11, 2)
DAYS = 28
NOW = datetime(2026, 12, 1, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SCHOOL_DAYS = [day for day in (FIRST + timedelta(days=n) for n in range(DAYS)) if day.weekday() < 5]


class Came(msgspec.Struct, frozen=True):
    """What came of one computer in one round: its numbers, and the local days that the readings are of."""

    round: int
    seqs: list[int]
    days: list[date]


def enrolled(of: SimulatedSchool, since: int = 0, until: int = DAYS) -> Enrolled:
    return Enrolled(
        computer=Computer(msgspec.structs.replace(of, wrong_by_s=0.0), 0),
        since=FIRST + timedelta(days=since),
        until=FIRST + timedelta(days=until),
        device_id=f"01900000-0000-7000-8000-{of.number:012d}",
        token=f"token {of.number}",
        key=KEY,
    )


def delivered(devices: list[Enrolled]) -> dict[str, list[Came]]:
    """Take every batch of every round in order, by token."""
    came: dict[str, list[Came]] = {device.token: [] for device in devices}
    for number, senders in enumerate(rounds(devices, FIRST, DAYS, lambda: NOW)):
        for sender in senders:
            seqs, days = [], []
            for sent in sender.bodies:
                columns = open_batch(gzip.decompress(sent.body)).columns
                assert columns is not None
                seqs += list(columns.seq)
                days += [datetime.fromtimestamp(us / 1e6 + 18_000, UTC).date() for us in columns.started_us]
            came[sender.token].append(Came(number, seqs, sorted(set(days))))
    return came


def first_school(*, is_late: bool) -> SimulatedSchool:
    """Return the first school that holds back within these days and delivers again, or the first that never does."""

    def bursts(one: SimulatedSchool) -> Iterator[bool]:
        for day in SCHOOL_DAYS:
            hold = hold_on(one, day)
            yield hold is not None and hold.until < FIRST + timedelta(days=DAYS - 5)

    return next(one for one in fleet(500, 1) if any(bursts(one)) is is_late and (is_late or not any(
        hold_on(one, day) for day in SCHOOL_DAYS)))  # fmt: skip


def test_a_school_in_order_delivers_each_school_day_on_that_day() -> None:
    device = enrolled(first_school(is_late=False))
    came = delivered([device])[device.token]
    assert [each.days for each in came] == [[day] for day in SCHOOL_DAYS]
    assert [FIRST + timedelta(days=each.round) for each in came] == SCHOOL_DAYS


def test_a_late_school_keeps_its_readings_for_days_and_delivers_them_in_one_burst() -> None:
    made = first_school(is_late=True)
    device = enrolled(made)
    came = delivered([device])[device.token]
    bursts = [each for each in came if len(each.days) > 1]
    assert bursts
    for burst in bursts:
        on = FIRST + timedelta(days=burst.round)
        assert on == burst.days[-1]
        assert delivers_on(made, on)
        assert not any(delivers_on(made, day) for day in burst.days[:-1])
    assert [day for each in came for day in each.days] == SCHOOL_DAYS


def test_late_readings_come_after_later_ones_of_other_schools() -> None:
    late, prompt = enrolled(first_school(is_late=True)), enrolled(first_school(is_late=False))
    came = delivered([late, prompt])
    burst = next(each for each in came[late.token] if len(each.days) > 1)
    overtaken = [each for each in came[prompt.token] if each.round < burst.round and each.days[0] > burst.days[0]]
    assert overtaken


def test_nothing_is_lost_or_doubled_and_each_outbox_comes_in_its_order() -> None:
    late = first_school(is_late=True)
    devices = [enrolled(one) for one in [late, *(each for each in fleet(7, 1) if each.number != late.number)]]
    for found in delivered(devices).values():
        seqs = [seq for each in found for seq in each.seqs]
        assert seqs == list(range(1, len(seqs) + 1))
        assert [day for each in found for day in each.days] == SCHOOL_DAYS


def test_what_is_still_held_when_the_simulation_ends_comes_after_its_last_day() -> None:
    last = FIRST + timedelta(days=DAYS - 3)
    device = enrolled(next(one for one in fleet(1_000, 1) if hold_on(one, last) is not None))
    came = delivered([device])[device.token]
    assert came[-1].round == DAYS
    assert came[-1].days[-1] == SCHOOL_DAYS[-1]


def test_a_silent_computer_delivers_up_to_its_last_day_and_a_later_one_from_its_first() -> None:
    made = first_school(is_late=False)
    early, later = delivered([enrolled(made, until=9)]), delivered([enrolled(made, since=9)])
    assert [day for each in early[f"token {made.number}"] for day in each.days] == SCHOOL_DAYS[:7]
    assert [day for each in later[f"token {made.number}"] for day in each.days] == SCHOOL_DAYS[7:]
