"""A reading as points: pure, and the same bytes whenever they are made from the same entry.

One point has what every statistic rests on and is kept for long; another has the reading whole. A point is itself by
measurement, tags and time. Measurement: the probe, or `whole`. Tags: school, device, epoch of its outbox, engine,
direction, and for whole readings the probe. Time: when it was made, in microseconds, and the last three digits of its
number in the outbox in the place of nanoseconds, so that two readings of one microsecond stay two. The client's own
`Point` says the same in several times the time; a test holds these lines against it.
"""

from collections.abc import Iterator, Mapping

from mektep_collector.journal.correction import to_us
from mektep_collector.journal.entry import Accepted, Entry, TimeMethod
from mektep_collector.store.influx.text import field_text, tag_text
from mektep_wire import Direction, Outcome, ProbeName, encode

QUARANTINE = "quarantine"
"""Measurement of readings without a time that can be trusted."""
WHOLE = "whole"
"""Measurement of whole readings."""
CAME = "came"
DEVICE = "device_id"
DIRECTION = "direction"
ENGINE = "engine"
EPOCH = "epoch"
METHOD = "time_method"
ORIGIN = "origin"
OUTCOME = "outcome"
PROBE = "probe"
CAUSE = "cause"
READING = "reading"
SCHOOL = "school_id"
_PLACES_AN_ENTRY = 1_024
_NS_A_US = 1_000


def points_of(entry: Entry) -> Iterator[str]:
    """Yield each reading of an entry as a line, in order. Raises ValueError for one that has no place."""
    for item, accepted in enumerate(entry.accepted):
        if accepted.time_method is TimeMethod.QUARANTINED:
            yield _line(QUARANTINE, accepted, _whole(accepted, _came(entry, item)))
        else:
            yield _line(ProbeName(accepted.reading.probe).value, accepted, _run(accepted, _came(entry, item)))


def whole_points_of(entry: Entry) -> Iterator[str]:
    """Yield each reading of an entry, whole, as a line; quarantined ones have no other point. Raises ValueError."""
    for item, accepted in enumerate(entry.accepted):
        if accepted.time_method is not TimeMethod.QUARANTINED:
            yield _line(WHOLE, accepted, _whole(accepted, _came(entry, item)))


def time_ns(at_us: int, seq: int) -> int:
    """Return the time of a reading's point."""
    return at_us * _NS_A_US + seq % _NS_A_US


def at_us(point_ns: int) -> int:
    """Return when the reading of a point was made, in microseconds since 1970."""
    return point_ns // _NS_A_US


def _came(entry: Entry, item: int) -> int:
    return entry.position * _PLACES_AN_ENTRY + item


def _line(measurement: str, accepted: Accepted, fields: Mapping[str, str]) -> str:
    """Return a point, its tags and fields by name."""
    reading = accepted.reading
    direction = f",{DIRECTION}={Direction(reading.direction).value}" if reading.direction is not None else ""
    probe = f",{PROBE}={ProbeName(reading.probe).value}" if measurement == WHOLE else ""
    tags = (
        f"{DEVICE}={tag_text(accepted.device_id)}{direction},{ENGINE}={reading.engine.value}"
        f",{EPOCH}={reading.epoch}{probe},{SCHOOL}={tag_text(accepted.school_id)}"
    )
    told = ",".join(f"{name}={fields[name]}" for name in sorted(fields))
    return f"{measurement},{tags} {told} {time_ns(to_us(accepted.at), reading.seq)}"


def _run(accepted: Accepted, came: int) -> dict[str, str]:
    reading = accepted.reading
    fields = {CAME: f"{came}i", OUTCOME: f'"{reading.outcome.value}"', ORIGIN: f'"{reading.origin.value}"'}
    if reading.outcome is Outcome.FAILED and reading.failure is not None:
        fields[CAUSE] = f'"{reading.failure.kind.value}"'
    if reading.outcome is Outcome.SKIPPED and reading.skip is not None:
        fields[CAUSE] = f'"{reading.skip.value}"'
    for metric, value in reading.values.items():
        fields[metric.value] = repr(float(value))
    return fields


def _whole(accepted: Accepted, came: int) -> dict[str, str]:
    return {
        CAME: f"{came}i",
        READING: field_text(encode(accepted.reading).decode()),
        METHOD: f'"{accepted.time_method.value}"',
    }
