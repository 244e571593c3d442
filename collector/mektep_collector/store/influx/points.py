"""A reading as a point: pure, and the same bytes whenever it is made from the same entry.

A point is itself by measurement, tags and time. Measurement: the probe. Tags: school, device, epoch of its outbox,
engine, direction. Time: when it was made, in microseconds, and the last three digits of its number in the outbox in
the place of nanoseconds, so that two readings of one microsecond stay two. The client's own `Point` says the same in
ten times the time; a test holds these lines against it.
"""

from collections.abc import Iterator

from mektep_collector.journal.correction import to_us
from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.store.influx.text import field_text, tag_text
from mektep_wire import Direction, Outcome, ProbeName, encode

QUARANTINE = "quarantine"
"""Measurement of readings without a time that can be trusted."""
CAME = "came"
DEVICE = "device_id"
DIRECTION = "direction"
ENGINE = "engine"
EPOCH = "epoch"
METHOD = "time_method"
ORIGIN = "origin"
OUTCOME = "outcome"
CAUSE = "cause"
READING = "reading"
SCHOOL = "school_id"
_PLACES_AN_ENTRY = 1_024
_NS_A_US = 1_000


def points_of(entry: Entry) -> Iterator[str]:
    """Yield each reading of an entry as a line, in order. Raises ValueError for one that has no place."""
    for item, accepted in enumerate(entry.accepted):
        yield _line(accepted, entry.position * _PLACES_AN_ENTRY + item)


def time_ns(at_us: int, seq: int) -> int:
    """Return the time of a reading's point."""
    return at_us * _NS_A_US + seq % _NS_A_US


def at_us(point_ns: int) -> int:
    """Return when the reading of a point was made, in microseconds since 1970."""
    return point_ns // _NS_A_US


def _line(accepted: Accepted, came: int) -> str:
    """Return the point of one reading, tags and fields by name."""
    reading = accepted.reading
    direction = f",{DIRECTION}={Direction(reading.direction).value}" if reading.direction is not None else ""
    tags = (
        f"{DEVICE}={tag_text(accepted.device_id)}{direction},{ENGINE}={reading.engine.value}"
        f",{EPOCH}={reading.epoch},{SCHOOL}={tag_text(accepted.school_id)}"
    )
    fields = {
        CAME: f"{came}i",
        READING: field_text(encode(reading).decode()),
        METHOD: f'"{accepted.time_method.value}"',
    }
    measurement = QUARANTINE
    if accepted.time_method is not TimeMethod.QUARANTINED:
        measurement = ProbeName(reading.probe).value
        fields[OUTCOME] = f'"{reading.outcome.value}"'
        fields[ORIGIN] = f'"{reading.origin.value}"'
        if reading.outcome is Outcome.FAILED and reading.failure is not None:
            fields[CAUSE] = f'"{reading.failure.kind.value}"'
        if reading.outcome is Outcome.SKIPPED and reading.skip is not None:
            fields[CAUSE] = f'"{reading.skip.value}"'
        for metric, value in reading.values.items():
            fields[metric.value] = repr(float(value))
    told = ",".join(f"{name}={fields[name]}" for name in sorted(fields))
    return f"{measurement},{tags} {told} {time_ns(to_us(accepted.at), reading.seq)}"
