"""When a reading was made by the collector's clock: pure, and done once, at first acceptance.

A school's wall clock may be hours or decades off. The monotonic clock is not: within one boot, the time between
reading and sending is known, and the time of receipt is the collector's own. For readings of an earlier boot only the
wall clock is left, with the offset that it shows at sending. Where neither gives a time that can be, the reading is
kept in quarantine.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from mektep_collector.journal.entry import TimeMethod
from mektep_wire import Batch, Reading

MAX_AHEAD = timedelta(minutes=10)
"""How far after its receipt a reading's time may lie; beyond it no clock can be believed."""
MAX_BEFORE_ENROLMENT = timedelta(days=92)
"""How far before the device's enrolment: a computer enrolled anew still sends what its outbox kept."""
DAWN = datetime(2020, 1, 1, tzinfo=UTC)
"""No reading is older: clocks without a battery begin in 1970, 2000 or at the firmware's date."""

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


def corrected(reading: Reading, sent: Sending) -> tuple[int, TimeMethod]:
    """Return a reading's time in microseconds since 1970 and how it was found.

    A quarantined reading bears the time of its receipt, the only one that is known to be true of it.
    """
    if reading.boot_id == sent.boot_id:
        at_us = sent.received_us - round((sent.sent_monotonic_s - reading.started_monotonic_s) * 1e6)
        if sent.earliest_us <= at_us <= sent.latest_us:
            return at_us, TimeMethod.SAME_BOOT
    at_us = to_us(reading.started_at) + sent.received_us - sent.sent_us
    if sent.earliest_us <= at_us <= sent.latest_us:
        return at_us, TimeMethod.CLOCK_OFFSET
    return sent.received_us, TimeMethod.QUARANTINED
