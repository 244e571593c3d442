"""When a reading was made by the collector's clock: pure, and done once, at first acceptance.

A school's wall clock may be hours or decades off. The monotonic clock is not: within one boot, the time between
reading and sending is known, and the time of receipt is the collector's own. For readings of an earlier boot only the
wall clock is left, with the offset that it shows at sending. Where neither gives a time that can be, the reading is
kept in quarantine.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from mektep_collector.journal.entry import TimeMethod
from mektep_wire import Batch, Columns

MAX_AHEAD = timedelta(minutes=10)
"""How far after its receipt a reading's time may lie; beyond it no clock can be believed."""
MAX_BEFORE_ENROLMENT = timedelta(days=92)
"""How far before the device's enrolment: a computer enrolled anew still sends what its outbox kept."""
DAWN = datetime(2020, 1, 1, tzinfo=UTC)
"""No reading is older: clocks without a battery begin in 1970, 2000 or at the firmware's date."""

# A member of an enum costs a call in Python 3.11, and these are named for every reading.
_SAME_BOOT, _CLOCK_OFFSET, _QUARANTINED = TimeMethod.SAME_BOOT, TimeMethod.CLOCK_OFFSET, TimeMethod.QUARANTINED
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Return an aware time as whole microseconds since 1970."""
    return (at - _UNIX_EPOCH) // _MICROSECOND


def from_us(at_us: int) -> datetime:
    """Return microseconds since 1970 as an aware time in UTC."""
    return _UNIX_EPOCH + timedelta(microseconds=at_us)


class Sending(NamedTuple):
    """Both clocks of the school at the moment of sending, the collector's at receipt, and what times can be."""

    boot_id: str
    sent_monotonic_s: float
    sent_us: int
    received_us: int
    earliest_us: int
    latest_us: int


def sending(batch: Batch, received_at: datetime, enrolled_at: datetime) -> Sending:
    """Return the clocks of a batch of a device enrolled at `enrolled_at`."""
    received_us = to_us(received_at)
    return Sending(
        boot_id=batch.boot_id,
        sent_monotonic_s=batch.sent_monotonic_s,
        sent_us=to_us(batch.sent_at),
        received_us=received_us,
        earliest_us=max(to_us(DAWN), to_us(enrolled_at - MAX_BEFORE_ENROLMENT)),
        latest_us=to_us(received_at + MAX_AHEAD),
    )


def corrected(columns: Columns, sent: Sending) -> tuple[list[int], list[TimeMethod]]:
    """Return the readings' times in microseconds since 1970, and how each was found.

    A quarantined reading bears the time of its receipt, the only one that is known to be true of it.
    """
    boot_id, sent_monotonic_s, sent_us, received_us, earliest_us, latest_us = sent
    same_boot_us = [received_us - round((sent_monotonic_s - at_s) * 1e6) for at_s in columns.started_monotonic_s]
    boots = columns.boot_id
    if (
        all(each == boot_id for each in boots.table)
        and earliest_us <= min(same_boot_us)
        and max(same_boot_us) <= latest_us
    ):
        return same_boot_us, [_SAME_BOOT] * len(same_boot_us)
    is_same = [each == boot_id for each in boots.table]
    places = boots.at if boots.at is not None else [0] * len(same_boot_us)
    times_us: list[int] = []
    methods: list[TimeMethod] = []
    for place, by_monotonic_us, started_us in zip(places, same_boot_us, columns.started_us, strict=True):
        at_us, method = received_us, _QUARANTINED
        by_offset_us = started_us + received_us - sent_us
        if is_same[place] and earliest_us <= by_monotonic_us <= latest_us:
            at_us, method = by_monotonic_us, _SAME_BOOT
        elif earliest_us <= by_offset_us <= latest_us:
            at_us, method = by_offset_us, _CLOCK_OFFSET
        times_us.append(at_us)
        methods.append(method)
    return times_us, methods
