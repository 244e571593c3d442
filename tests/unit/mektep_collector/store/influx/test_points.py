"""A reading as a point: the same bytes each time, a place of its own, and all that questions need."""

import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision

from mektep_collector.journal.correction import to_us
from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.store.influx.points import at_us, points_of, time_ns, whole_points_of
from mektep_collector.store.influx.text import stored_tag
from mektep_wire import Metric, Reading, encode
from tests.support.school_device import NOON, SchoolDevice
from tests.support.wire_examples import readings

DEVICE = SchoolDevice()


def _entry(*accepted: Accepted) -> Entry:
    return Entry(position=7, received_at=NOON, accepted=accepted)


def _accepted(seq: int = 6, at: datetime = NOON, time_method: TimeMethod = TimeMethod.SAME_BOOT) -> Accepted:
    reading = DEVICE.reading(seq, at)
    return Accepted(reading=reading, device_id=DEVICE.record.id, school_id="kz 1", at=at, time_method=time_method)


def test_a_point_reads_as_line_protocol() -> None:
    (line,) = points_of(_entry(_accepted()))
    assert line.startswith(f"throughput,device_id={DEVICE.record.id},direction=download,engine=ndt7,epoch=")
    assert ",school_id=kz\\ 1 " in line
    assert f" came={7 * 1_024}i," in line
    assert ',outcome="ok",' in line
    assert f"{Metric.DOWNLOAD_THROUGHPUT_MBPS.value}=" in line
    assert line.endswith(f" {int(NOON.timestamp()) * 10**9 + 6}")


def _by_the_clients_own_point(measurement: str, accepted: Accepted, came: int) -> str:
    """Say the same by `influxdb_client.Point`, field by field."""
    reading = accepted.reading
    point = Point(measurement)
    if measurement == "whole":
        point.tag("probe", reading.probe.value)
    point.tag("school_id", stored_tag(accepted.school_id)).tag("device_id", accepted.device_id)
    point.tag("epoch", reading.epoch).tag("engine", reading.engine.value)
    if reading.direction is not None:
        point.tag("direction", reading.direction.value)
    point.field("came", came)
    if measurement in {"whole", "quarantine"}:
        point.field("reading", encode(reading).decode()).field("time_method", accepted.time_method.value)
    else:
        point.field("outcome", reading.outcome.value).field("origin", reading.origin.value)
        if reading.failure is not None:
            point.field("cause", reading.failure.kind.value)
        if reading.skip is not None:
            point.field("cause", reading.skip.value)
        for metric, value in reading.values.items():
            point.field(metric.value, float(value))
    point.time(time_ns(to_us(accepted.at), reading.seq), WritePrecision.NS)
    line: str = point.to_line_protocol()
    return line


@given(readings(), st.sampled_from(TimeMethod), st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_lines_are_what_the_clients_own_point_says(reading: Reading, time_method: TimeMethod, school_id: str) -> None:
    accepted = msgspec.structs.replace(_accepted(time_method=time_method), reading=reading, school_id=school_id)
    is_quarantined = time_method is TimeMethod.QUARANTINED
    measurements = ["quarantine"] if is_quarantined else [reading.probe.value, "whole"]
    lines = [*points_of(_entry(accepted)), *whole_points_of(_entry(accepted))]
    assert list(map(_told, lines)) == [
        _told(_by_the_clients_own_point(measurement, accepted, 7 * 1_024)) for measurement in measurements
    ]


def _told(line: str) -> str:
    """Write numbers in one way: the client leaves out a fraction of nought."""
    return re.sub(r"(=-?[0-9]+)\.0(?=[, ])", r"\1", line)


@given(readings(), st.sampled_from(TimeMethod))
def test_the_same_entry_gives_the_same_bytes_and_one_line_a_reading(reading: Reading, time_method: TimeMethod) -> None:
    accepted = msgspec.structs.replace(_accepted(time_method=time_method), reading=reading)
    entry = _entry(accepted, accepted)
    first, again = (list(points_of(entry)) for _ in range(2))
    assert list(whole_points_of(entry)) == list(whole_points_of(entry))
    assert first == again
    assert len(first) == 2
    assert all(line.count("\n") == 0 for line in first)


def test_two_readings_of_one_microsecond_are_two_points() -> None:
    one, other = points_of(_entry(_accepted(6), _accepted(12)))
    assert one.rsplit(" ", 1)[1] != other.rsplit(" ", 1)[1]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(1, 2**53 - 1))  # noqa: DTZ001 (bounds are naive)
def test_a_points_time_gives_back_the_readings(at: datetime, seq: int) -> None:
    made_us = (at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert at_us(time_ns(made_us, seq)) == made_us


def test_a_quarantined_reading_is_kept_apart_and_without_values() -> None:
    (line,) = points_of(_entry(_accepted(time_method=TimeMethod.QUARANTINED)))
    assert line.startswith("quarantine,")
    assert "outcome=" not in line
    assert Metric.DOWNLOAD_THROUGHPUT_MBPS.value + "=" not in line


def test_a_reading_without_a_place_is_refused_before_anything_is_written() -> None:
    misplaced = msgspec.structs.replace(_accepted().reading, direction="sideways")
    with pytest.raises(ValueError, match="sideways"):
        list(points_of(_entry(msgspec.structs.replace(_accepted(), reading=misplaced))))
