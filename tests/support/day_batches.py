"""Batches of many devices and days, made in a tenth of the time that readings one by one would take.

A day's readings are made once; each batch is these, with numbers, ids, times, epoch and boot of its own. So millions
are new to the collector, though their values come again.
"""

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from mektep_wire import Batch, Columns, decode, encode, pack
from mektep_wire.columns import Coded
from tests.support.country_days import quick_uuid
from tests.support.school_device import NOON, SchoolDevice

FIRST_MORNING = datetime(NOON.year, NOON.month, NOON.day, 3, tzinfo=UTC)
SCHOOL_HOURS = timedelta(hours=11)
_SENT_AFTER = timedelta(hours=12)


class DayPattern:
    """A school day of `readings_count` readings, evenly from morning to evening. Day 0 is NOON's."""

    def __init__(self, readings_count: int, seed: int) -> None:
        self._count = readings_count
        device = SchoolDevice(seed)
        spacing = SCHOOL_HOURS / readings_count
        made = [device.reading(seq, FIRST_MORNING + (seq - 1) * spacing) for seq in range(1, readings_count + 1)]
        self._columns = decode(Columns, pack([encode(each) for each in made]))

    def batch(self, device: SchoolDevice, day_number: int, first_seq: int) -> bytes:
        """Return a device's whole day as it sends it in the evening, its readings numbered from `first_seq`."""
        shift = timedelta(days=day_number)
        columns, random = self._columns, Random(f"{first_seq} {device.epoch}")
        shift_us, shift_s = shift // timedelta(microseconds=1), shift.total_seconds()
        sent_at = sent_on(day_number)
        day = f"{sent_at:%Y-%m-%d}"
        assert columns.slot is not None
        own = msgspec.structs.replace(
            columns,
            seq=list(range(first_seq, first_seq + self._count)),
            id=[quick_uuid(random) for _ in columns.seq],
            started_us=[each + shift_us for each in columns.started_us],
            started_monotonic_s=[each + shift_s for each in columns.started_monotonic_s],
            epoch=Coded((device.epoch,)),
            boot_id=Coded((device.boot_id,)),
            slot=Coded([None if each is None else f"{day}/2" for each in columns.slot.table], columns.slot.at),
        )
        return encode(
            Batch(
                id=quick_uuid(random),
                device_id=device.record.id,
                agent_version="0.1.0",
                sent_at=sent_at,
                sent_monotonic_s=1e6 + (sent_at - NOON).total_seconds(),
                boot_id=device.boot_id,
                readings=msgspec.Raw(encode(own)),
            )
        )


def sent_on(day_number: int) -> datetime:
    """Return the evening on which a day's readings are sent."""
    return FIRST_MORNING + _SENT_AFTER + timedelta(days=day_number)
