"""By column and by reading, a batch says the same; what one of the two refuses, the other does."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mektep_wire import Columns, Reading, WireError, are_good, decode, encode, pack, rows, unpack
from tests.support.school_device import SchoolDevice
from tests.support.wire_examples import readings

several = st.lists(readings(), min_size=1, max_size=12)


def _columns(some: list[Reading]) -> Columns:
    return decode(Columns, pack([encode(reading) for reading in some]))


@given(several)
def test_columns_hold_the_very_readings(some: list[Reading]) -> None:
    columns = _columns(some)
    assert are_good(columns)
    assert unpack(columns) == some
    assert [decode(Reading, row) for row in rows(msgspec.Raw(encode(columns)))] == some


def test_what_all_readings_share_is_said_once() -> None:
    reading = decode(Reading, encode(an_example()))
    some = [msgspec.structs.replace(reading, seq=seq) for seq in range(1, 101)]
    assert len(pack([encode(each) for each in some])) < sum(len(encode(each)) for each in some) / 3


SPOILS: dict[str, Callable[[dict[str, Any]], object]] = {
    "outcome": lambda row: row.update(outcome="failed"),
    "skip": lambda row: row.update(skip="paused"),
    "direction": lambda row: row.update(direction="upload"),
    "no direction": lambda row: row.pop("direction", None),
    "id": lambda row: row.update(id=row["id"].replace("-7", "-4", 1)),
    "epoch": lambda row: row.update(epoch="x" * 36),
    "boot": lambda row: row.update(boot_id=row["boot_id"].upper().replace("0", "G")),
    "bounds": lambda row: row.update(values={"packet_loss_ratio": 1.5}, sample_counts={}, intervals={}),
    "counts": lambda row: row.update(sample_counts={"idle_rtt_ms": 3}),
    "interval": lambda row: row.update(
        values={"idle_rtt_ms": 3.0}, intervals={"idle_rtt_ms": {"low": 4.0, "high": 2.0, "confidence_ratio": 0.9}}
    ),
    "half an interval": lambda row: row.update(values={"idle_rtt_ms": 3.0}, intervals={"idle_rtt_ms": {"low": 4.0}}),
    "clock": lambda row: row.update(clock={"status": "compared", "offset_s": 1.0}),
    "clock unknown": lambda row: row.update(clock={"offset_s": 1.0, "compared_s": 1.0}),
    "unknown": lambda row: row.update(velocity=3),
    "unknown condition": lambda row: row.update(conditions={"weather": "rain"}),
    "unknown metric": lambda row: row.update(values={"velocity_mps": 3.0}),
    "type": lambda row: row.update(seq="1"),
    "time": lambda row: row.update(started_at="yesterday"),
    "missing": lambda row: row.pop("target"),
    "nested": lambda row: row.update(conditions=7),
    "values": lambda row: row.update(values=[1, 2]),
}


@settings(max_examples=max(10, settings().max_examples // 5))
@given(several, st.data())
@pytest.mark.parametrize("spoil", SPOILS.values(), ids=list(SPOILS))
def test_a_reading_is_good_by_column_exactly_if_it_is_good_alone(
    spoil: Callable[[dict[str, Any]], object], some: list[Reading], data: st.DataObject
) -> None:
    payloads = [encode(reading) for reading in some]
    spoiled_at = data.draw(st.integers(0, len(some) - 1))
    row = json.loads(payloads[spoiled_at])
    spoil(row)
    payloads[spoiled_at] = json.dumps(row).encode()
    verdicts = [_is_reading(payload) for payload in payloads]
    packed = pack(payloads)
    try:
        by_column = are_good(decode(Columns, packed))
    except WireError:
        by_column = False
    assert by_column is all(verdicts)
    assert [_is_reading(each) for each in rows(packed)] == verdicts


def _is_reading(payload: bytes) -> bool:
    try:
        decode(Reading, payload)
    except WireError:
        return False
    return True


@pytest.mark.parametrize("payload", [b"7", b"{", b"\xff", b"[]", b"null"], ids=repr)
def test_what_is_no_reading_at_all_is_refused_alone(payload: bytes) -> None:
    good = encode(an_example())
    assert [_is_reading(each) for each in rows(pack([good, payload, good]))] == [True, False, True]


def an_example() -> Reading:
    """Return a reading that says something in most fields."""
    return SchoolDevice().reading(1)
