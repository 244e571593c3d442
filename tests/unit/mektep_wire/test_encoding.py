"""The wire: what is encoded is what is decoded, and whatever is bad is refused with the name of its field."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_wire import (
    Direction,
    EngineName,
    Metric,
    Outcome,
    ProbeName,
    Reading,
    Trigger,
    WireError,
    decode,
    encode,
    new_uuid7,
    uuid7_time,
)
from mektep_wire.reading import MAX_READING_BYTES
from mektep_wire.schema import WIRE_TYPES, json_schema
from tests.support.wire_examples import EXAMPLES, moments, readings

_DEFINITIONS = json_schema()["$defs"]
VALIDATORS = {
    kind: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{kind.__name__}", "$defs": _DEFINITIONS})
    for kind in WIRE_TYPES
}


def example() -> dict[str, Any]:
    """Return a plain good reading, ready to be spoiled."""
    now = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    random = Random(7)
    reading = Reading(
        id=new_uuid7(now, random),
        epoch=new_uuid7(now, random),
        seq=1,
        probe=ProbeName.THROUGHPUT,
        engine=EngineName.NDT7,
        engine_version="0.1.0",
        target="ws://measure.example:8081",
        trigger=Trigger.SLOT,
        direction=Direction.DOWNLOAD,
        started_at=now,
        started_monotonic_s=12.5,
        boot_id=new_uuid7(now, random),
        duration_s=10.0,
        outcome=Outcome.OK,
        values={Metric.DOWNLOAD_THROUGHPUT_MBPS: 19.5},
        sample_counts={Metric.DOWNLOAD_THROUGHPUT_MBPS: 100},
    )
    loaded: dict[str, Any] = json.loads(encode(reading))
    return loaded


def spoiled(**changes: object) -> bytes:
    return json.dumps(example() | changes).encode()


def test_every_wire_type_has_examples() -> None:
    assert set(EXAMPLES) == set(WIRE_TYPES)


@pytest.mark.parametrize("kind", WIRE_TYPES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_decoding_undoes_encoding(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    value = data.draw(EXAMPLES[kind])
    assert decode(kind, encode(value)) == value


@pytest.mark.parametrize("kind", WIRE_TYPES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_we_encode_obeys_the_published_schema(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    value = data.draw(EXAMPLES[kind])
    VALIDATORS[kind].validate(json.loads(encode(value)))


@given(readings())
def test_a_reading_is_never_larger_than_the_wire_allows(reading: Reading) -> None:
    assert len(encode(reading)) <= MAX_READING_BYTES


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        (spoiled(speed=3), "$.speed", "unknown"),
        (spoiled(values={"download_throughput_mbps": float("nan")}), "$.values.download_throughput_mbps", "not finite"),
        (spoiled(values={"download_throughput_mbps": float("inf")}), "$.values.download_throughput_mbps", "not finite"),
        (spoiled(duration_s=float("-inf")), "$.duration_s", "not finite"),
        (spoiled().replace(b"19.5", b"1e999"), "$.values.download_throughput_mbps", "out of range"),
        (spoiled(values={"download_throughput_kbps": 19500.0}), "$.values.download_throughput_kbps", "_mbps"),
        (spoiled(values={"download_throughput_mbps": "19.5"}), "$.values.download_throughput_mbps", "`str`"),
        (spoiled(values={"download_throughput_mbps": True}), "$.values.download_throughput_mbps", "`bool`"),
        (spoiled(values={"download_throughput_mbps": 2e6}), "$.values.download_throughput_mbps", "outside"),
        (spoiled(values={"packet_loss_ratio": 7.0}, sample_counts={}), "$.values.packet_loss_ratio", "0 to 1 ratio"),
        (spoiled(values={"wifi_signal_dbm": 40.0}, sample_counts={}), "$.values.wifi_signal_dbm", "outside"),
        (spoiled(target="x" * 1_000_000), "$.target", "length <= 300"),
        (spoiled(engine="x" * 1_000_000), "$.engine", "Invalid enum value"),
        (spoiled().replace(b"measure.example", b"measure\xff"), "$.target", "not UTF-8"),
        (spoiled(seq=0), "$.seq", ">= 1"),
        (spoiled(seq=2**60), "$.seq", "<="),
        (spoiled(duration_s=-1.0), "$.duration_s", ">= 0"),
        (spoiled(bytes_received=10**15), "$.bytes_received", "<="),
        (spoiled(started_at="2026-11-23T06:00:00"), "$.started_at", "timezone"),
        (spoiled(started_at=1700000000), "$.started_at", "datetime"),
        (spoiled(outcome="failed"), "$.failure", "exactly when"),
        (spoiled(failure={"kind": "stalled"}), "$.failure", "exactly when"),
        (spoiled(failure={"kind": "tired"}, outcome="failed"), "$.failure.kind", "Invalid enum value"),
        (spoiled(outcome="skipped", skip="paused"), "$.values", "must be empty"),
        (spoiled(direction=None), "$.direction", "exactly when"),
        (spoiled(id="not-a-uuid"), "$.id", "length"),
        (spoiled(id="F" * 36), "$.id", "version 7"),
        (spoiled(epoch="Z" * 36), "$.epoch", "UUID"),
        (spoiled(clock={"status": "compared"}), "$.clock.clock.status", "both given"),
        (b'{"id": ', "$", "truncated"),
        (b"[]", "$", "Expected `object`"),
        (b"", "$", "truncated"),
        (b"\xff\xfe", "$", "malformed"),
        (b"[" * 100_000, "$", ""),
    ],
)
def test_bad_input_is_refused_with_the_name_of_its_field(data: bytes, field: str, says: str) -> None:
    with pytest.raises(WireError) as refused:
        decode(Reading, data)
    assert refused.value.field == field
    assert says in refused.value.reason
    assert len(str(refused.value)) < 1_000


@given(st.binary(max_size=300))
def test_no_bytes_at_all_bring_another_error_than_the_wires_own(data: bytes) -> None:
    with suppress(WireError):
        decode(Reading, data)


@given(readings(), st.data())
def test_one_spoiled_byte_is_refused_or_leaves_a_valid_reading(reading: Reading, data: st.DataObject) -> None:
    encoded = bytearray(encode(reading))
    where = data.draw(st.integers(0, len(encoded) - 1))
    encoded[where] = data.draw(st.integers(0, 255))
    with suppress(WireError):
        changed = decode(Reading, bytes(encoded))
        assert decode(Reading, encode(changed)) == changed


@given(moments, st.integers(0, 2**32))
def test_an_identifier_holds_its_time_to_the_millisecond(at: datetime, seed: int) -> None:
    held = uuid7_time(new_uuid7(at, Random(seed)))
    assert 0 <= (at - held).total_seconds() < 0.001


@given(moments, moments)
def test_identifiers_sort_by_time(one: datetime, other: datetime) -> None:
    earlier, later = sorted((one, other))
    if (later - earlier).total_seconds() > 0.001:
        assert new_uuid7(earlier, Random(1)) < new_uuid7(later, Random(2))
