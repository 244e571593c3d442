"""How far this computer's wall clock is from the collector's, found at sending and carried on by the monotonic clock.

Once compared, steps of the wall clock do no harm within the same boot: true time is the compared moment plus what the
monotonic clock counted since. The agent never sets the computer's clock.
"""

from datetime import datetime, timedelta

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.uplink.carrier import Answer
from mektep_wire import Clock, ClockStatus

_LONGEST_OFFSET_S = 1e9


class ClockComparison(msgspec.Struct, frozen=True, kw_only=True):
    """At `monotonic_s` of boot `boot_id`, the collector's clock said `true_at`."""

    boot_id: str
    monotonic_s: float
    true_at: datetime


def compare(answer: Answer, collector_at: datetime, boot_id: str) -> ClockComparison:
    """Return the comparison that an answer allows: the collector's clock stood at `collector_at` half-way through."""
    return ClockComparison(
        boot_id=boot_id, monotonic_s=answer.sent_monotonic_s + answer.rtt_s / 2, true_at=collector_at
    )


def true_now(comparison: ClockComparison | None, time: TimeSource) -> datetime:
    """Return the time by the collector's clock, as well as it is known; else the computer's own."""
    if comparison is None:
        return time.now()
    return comparison.true_at + timedelta(seconds=time.monotonic_s() - comparison.monotonic_s)


def clock_state(comparison: ClockComparison | None, time: TimeSource) -> Clock:
    """Return what is known of the wall clock now, in the wire's form."""
    if comparison is None:
        return Clock()
    offset_s = (true_now(comparison, time) - time.now()).total_seconds()
    compared_s = time.monotonic_s() - comparison.monotonic_s
    if abs(offset_s) > _LONGEST_OFFSET_S or compared_s < 0:
        return Clock()
    return Clock(status=ClockStatus.COMPARED, offset_s=round(offset_s, 6), compared_s=compared_s)
