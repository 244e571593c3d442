"""A simulated computer's readings as signed batches, of a day or of all the time that it was cut off."""

import gzip
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final

import msgspec

from mektep_collector.simulate.day import LOCAL
from mektep_collector.simulate.enrolment import Enrolled
from mektep_wire import (
    VERSION,
    Batch,
    Purpose,
    Reading,
    encode,
    format_signature,
    new_uuid7,
    pack,
    signing_input,
)

READINGS_A_BATCH: Final = 250
_LEVEL: Final = 6


class SignedBody(msgspec.Struct, frozen=True):
    """A batch as it crosses the wire, its signature for the header, and how many readings it holds."""

    body: bytes
    signature: str
    readings_count: int


def bodies(device: Enrolled, now: datetime, readings_a_batch: int = READINGS_A_BATCH) -> Iterator[SignedBody]:
    """Yield all that a device has measured, oldest first, as sent at the aware time `now`, after its last day."""
    days = (device.since + timedelta(days=number) for number in range((device.until - device.since).days))
    return bodies_of(device, days, lambda: now, readings_a_batch)


def bodies_of(
    device: Enrolled,
    days: Iterable[date],
    now: Callable[[], datetime],
    readings_a_batch: int = READINGS_A_BATCH,
) -> Iterator[SignedBody]:
    """Yield what a device measured on some days, which ascend and are later than those asked for before.

    Each batch is made when it is asked for, as sent at the aware time that `now` then returns, after the last of the
    days.
    """
    left = (reading for day in days for reading in device.computer.readings(day))
    while some := list(islice(left, readings_a_batch)):
        yield _signed(device, some, now())


def _signed(device: Enrolled, readings: list[Reading], now: datetime) -> SignedBody:
    local = now + LOCAL
    school = device.computer.school
    batch = Batch(
        id=new_uuid7(now, school.random("batch", device.computer.generation, readings[0].seq)),
        device_id=device.device_id,
        agent_version=VERSION,
        sent_at=now + timedelta(seconds=round(school.wrong_by_s, 3)),
        sent_monotonic_s=round((local - local.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds(), 6),
        boot_id=device.computer.boot_id(local.date()),
        readings=msgspec.Raw(pack([encode(each) for each in readings])),
    )
    body = gzip.compress(encode(batch), _LEVEL, mtime=0)
    signature = format_signature(device.key.sign(signing_input(Purpose.BATCH, body)))
    return SignedBody(body, signature, len(readings))
