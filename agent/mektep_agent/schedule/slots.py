"""Stratified random slots: the school day in equal parts, one random start in each.

A start is drawn from (device, date, stratum) alone. Who comes up after it has passed draws anew from what is left of
the stratum, so that a late boot neither measures at once, with all the others that booted, nor loses the slot.
"""

import random
from datetime import date, datetime

import msgspec

from mektep_wire.school_day import SchoolDay

LEAST_LEFT_S = 120.0
"""With less than this left of a stratum there is no room for a test that begins in it."""


class Slot(msgspec.Struct, frozen=True):
    """One stratum of one school day: its name on the wire, its span, and the start that was drawn."""

    name: str
    begin: datetime
    end: datetime
    start: datetime


def slots_of(school_day: SchoolDay, slots_count: int, device_id: str) -> tuple[Slot, ...]:
    """Return the day's slots in order. Strata are equal in seconds of school; a start is never outside its hours."""
    stratum_s = school_day.length_s / slots_count if slots_count else 0.0
    slots = []
    for number in range(slots_count):
        begin_s = number * stratum_s
        start_s = begin_s + _share(device_id, school_day.day, number, "start") * (stratum_s - LEAST_LEFT_S)
        slots.append(
            Slot(
                f"{school_day.day.isoformat()}/{number + 1}",
                school_day.moment_at(begin_s),
                school_day.moment_at(begin_s + stratum_s),
                school_day.moment_at(max(start_s, begin_s)),
            )
        )
    return tuple(slots)


def start_after(slot: Slot, school_day: SchoolDay, up_at: datetime, device_id: str) -> datetime | None:
    """Return when to run `slot` for an agent that came up at `up_at`, or None where too little of it is left."""
    if up_at <= slot.start:
        return slot.start
    left_begin_s = school_day.school_s_at(max(up_at, slot.begin))
    left_s = school_day.school_s_at(slot.end) - left_begin_s - LEAST_LEFT_S
    if left_s <= 0:
        return None
    number = int(slot.name.rpartition("/")[2]) - 1
    return school_day.moment_at(left_begin_s + _share(device_id, school_day.day, number, "late") * left_s)


def phase_s(device_id: str, what: str, interval_s: float) -> float:
    """Return the device's own place within an interval, so that a fleet does not act in step."""
    return random.Random(f"{device_id}/{what}").random() * interval_s  # noqa: S311 (spreads; keeps no secret)


def _share(device_id: str, day: date, number: int, what: str) -> float:
    return random.Random(f"{device_id}/{day.isoformat()}/{number}/{what}").random()  # noqa: S311 (as above)
