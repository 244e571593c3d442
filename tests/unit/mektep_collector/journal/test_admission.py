"""Exactly once, against a plain dictionary."""

import gzip
from itertools import pairwise

import apsw
import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.journal.admission import Admission
from mektep_collector.journal.entries import read_entries, read_signed
from mektep_collector.journal.schema import prepare
from mektep_collector.journal.sequence import SeqRange, missing
from mektep_wire import FateOutcome, Reading
from tests.support.school_device import NOON, SchoolDevice

DEVICES = [SchoolDevice(seed, school_id=f"school {seed}") for seed in (1, 2)]
EPOCHS = [DEVICES[0].new_id() for _ in range(2)]
Key = tuple[int, int, int]
Drawn = tuple[int, int, int, int]


def _reading(key: Key, variant: int) -> Reading:
    device, epoch, seq = key
    reading = DEVICES[device].reading(seq, epoch=EPOCHS[epoch])
    return msgspec.structs.replace(reading, id=f"019364a0-0000-7000-8000-{device}{epoch}{variant}{seq:09d}")


READINGS = {
    (device, epoch, seq, variant): _reading((device, epoch, seq), variant)
    for device in range(2)
    for epoch in range(2)
    for seq in range(1, 13)
    for variant in range(2)
}
items = st.tuples(st.integers(0, 1), st.integers(1, 12), st.sampled_from([0, 0, 0, 1]))
batches = st.lists(
    st.tuples(st.integers(0, 1), st.lists(items, min_size=1, max_size=8), st.booleans()), min_size=1, max_size=8
)


def _fresh() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    prepare(connection, "memory")
    return connection


@given(batches)
def test_every_reading_is_stored_once_whatever_comes_again_and_in_whatever_order(
    drawn: list[tuple[int, list[tuple[int, int, int]], bool]],
) -> None:
    connection = _fresh()
    admission = Admission(connection)
    model: dict[Key, str] = {}
    order: list[list[str]] = []
    for device, wanted, restart in drawn:
        if restart:
            admission = Admission(connection)
        readings = [READINGS[device, epoch, seq, variant] for epoch, seq, variant in wanted]
        expected = []
        new = []
        for (epoch, seq, _), reading in zip(wanted, readings, strict=True):
            held = model.setdefault((device, epoch, seq), reading.id)
            if held == reading.id and reading.id not in new and not any(reading.id in ids for ids in order):
                expected.append(FateOutcome.STORED)
                new.append(reading.id)
            else:
                expected.append(FateOutcome.DUPLICATE if held == reading.id else FateOutcome.REJECTED)
        submission = DEVICES[device].submission(DEVICES[device].batch(readings))
        with connection:
            admitted = admission.admit(submission)
        assert [fate.outcome for fate in admitted.fates] == expected
        assert [fate.index for fate in admitted.fates] == list(range(len(readings)))
        assert (admitted.position is not None) == bool(new)
        if new:
            order.append(new)
    entries = read_entries(connection, 0, 100)
    assert [entry.position for entry in entries] == list(range(1, len(order) + 1))
    assert [[each.reading.id for each in entry.accepted] for entry in entries] == order
    _ranges_are_merged_and_complete(connection, model)


def _ranges_are_merged_and_complete(connection: apsw.Connection, model: dict[Key, str]) -> None:
    rows = connection.execute(
        "SELECT device_id, epoch, first_seq, last_seq FROM stream JOIN received_range USING (stream)"
        " ORDER BY device_id, epoch, first_seq"
    ).fetchall()
    found: dict[tuple[object, object], list[SeqRange]] = {}
    for device_id, epoch, first, last in rows:
        assert isinstance(first, int)
        assert isinstance(last, int)
        found.setdefault((device_id, epoch), []).append(SeqRange(first, last))
    for (device_id, epoch), ranges in found.items():
        held = {
            seq for device, number, seq in model if DEVICES[device].record.id == device_id and EPOCHS[number] == epoch
        }
        assert {seq for piece in ranges for seq in range(piece.first, piece.last + 1)} == held
        assert all(left.last + 1 < right.first for left, right in pairwise(ranges))
        gaps = {seq for gap in missing(ranges) for seq in range(gap.first, gap.last + 1)}
        assert gaps == set(range(1, max(held))) - held


def test_a_clone_is_told_what_it_is() -> None:
    connection = _fresh()
    admission = Admission(connection)
    device = DEVICES[0]
    original, copy = READINGS[0, 0, 5, 0], READINGS[0, 0, 5, 1]
    admission.admit(device.submission(device.batch([original])))
    admitted = admission.admit(device.submission(device.batch([copy])))
    (fate,) = admitted.fates
    assert (fate.outcome, fate.field) == (FateOutcome.REJECTED, "$.readings[0].seq")
    assert fate.reason is not None
    assert "cloned" in fate.reason
    assert "enrol" in fate.reason


def test_a_replay_keeps_the_time_of_the_first_acceptance() -> None:
    connection = _fresh()
    admission = Admission(connection)
    device = DEVICES[0]
    reading = device.reading(1)
    admission.admit(device.submission(device.batch([reading]), received_at=NOON))
    again = device.batch([reading], sent_monotonic_s=2e6)
    admission.admit(device.submission(again, received_at=NOON))
    (entry,) = read_entries(connection, 0, 10)
    assert [each.at for each in entry.accepted] == [NOON]


def test_bad_neighbours_do_not_hinder_comparing_ids_or_reading_back() -> None:
    connection = _fresh()
    admission = Admission(connection)
    device = DEVICES[0]
    good = READINGS[0, 0, 3, 0]
    body = device.batch([b'{"id": 5}', good, b"null"])
    first = admission.admit(device.submission(body))
    assert [fate.outcome.value for fate in first.fates] == ["rejected", "stored", "rejected"]
    second = admission.admit(device.submission(body))
    assert [fate.outcome.value for fate in second.fates] == ["rejected", "duplicate", "rejected"]
    (entry,) = read_entries(connection, 0, 10)
    assert [each.reading for each in entry.accepted] == [good]


def test_the_signed_bytes_are_kept_exactly() -> None:
    connection = _fresh()
    device = DEVICES[1]
    body = device.batch([READINGS[1, 0, 1, 0]])
    Admission(connection).admit(device.submission(body))
    signed = read_signed(connection, 1)
    assert signed is not None
    assert gzip.decompress(signed.body) == body
    assert (signed.signature, signed.device_id) == (device.sign(signed.body), device.record.id)
    assert read_signed(connection, 2) is None


def test_a_wide_and_ragged_range_costs_no_more_than_what_was_sent() -> None:
    connection = _fresh()
    admission = Admission(connection)
    device = DEVICES[0]
    ragged = [device.reading(seq, epoch=EPOCHS[0]) for seq in range(1, 400, 2)]
    admission.admit(device.submission(device.batch(ragged)))
    far = [device.reading(seq, epoch=EPOCHS[0]) for seq in (2, 2**53 - 1)]
    steps = 0

    def count(*_: object) -> bool:
        nonlocal steps
        steps += 1
        return False

    connection.set_progress_handler(count, 10)
    admission.admit(device.submission(device.batch(far)))
    assert steps < 100
