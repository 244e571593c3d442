"""One value for a school where several computers measure: the median in each slot, not a pool of all tests. Pure.

Two computers of a school test the same line. In a pool the busier one would speak louder; here each part of the
school day speaks once, with the median of what its computers found.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from mektep_collector.sla.percentile import median


class DeviceTest(msgspec.Struct, frozen=True, kw_only=True):
    """One good test of one computer."""

    at: datetime
    device_id: str
    value: float


class SlotValue(msgspec.Struct, frozen=True, kw_only=True):
    """What a school had in one slot: the median over its computers, each of which speaks with its own median."""

    begin: datetime
    value: float
    devices_count: int
    tests_count: int


def slot_medians(tests: Iterable[DeviceTest], since: datetime, slot: timedelta) -> list[SlotValue]:
    """Return a value for each slot with a test, in order of time; slots are `slot` long and begin at `since`.

    Raises ValueError for a slot without length and for a test before `since`.
    """
    if slot <= timedelta(0):
        raise ValueError(f"a slot cannot be {slot} long")
    found: dict[int, dict[str, list[float]]] = {}
    for test in tests:
        number = (test.at - since) // slot
        if number < 0:
            raise ValueError(f"the test at {test.at} is before the first slot at {since}")
        found.setdefault(number, {}).setdefault(test.device_id, []).append(test.value)
    return [
        SlotValue(
            begin=since + number * slot,
            value=median([median(values) for values in devices.values()]),
            devices_count=len(devices),
            tests_count=sum(len(values) for values in devices.values()),
        )
        for number, devices in sorted(found.items())
    ]
