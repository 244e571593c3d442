"""What was used, month by month: an immutable record and the pure steps from one to the next.

Bytes count in the month in which they were used, by the clock as well as it is known. A clock that turns out to have
run ahead takes its bytes back into the right month; one that is not known to be right reopens no month that is over.
No step ever makes bytes disappear.
"""

from datetime import datetime

import msgspec

from mektep_agent.budget.month import before
from mektep_wire import ClockStatus

KEPT_MONTHS_COUNT = 3
RECENT_TESTS_COUNT = 8


class MonthUse(msgspec.Struct, frozen=True, kw_only=True):
    """One month: bytes sent and received by so many throughput tests, by all else, and the cap last in force.

    `line_bytes` is how far the tests of the month may have gone by now (see `plan`).
    """

    month: str
    tests_count: int = 0
    test_bytes: int = 0
    other_bytes: int = 0
    cap_bytes: int | None = None
    line_bytes: float = 0.0

    @property
    def used_bytes(self) -> int:
        """All that was used."""
        return self.test_bytes + self.other_bytes


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What the month will have used at its end: `forecast_bytes` by the plan, `wanted_bytes` with every slot run."""

    at: datetime
    forecast_bytes: int
    wanted_bytes: int
    slots_left_count: int
    tests_left_count: int


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The months that are remembered, in order, the last one open; and what recent tests used.

    `held_bytes` is set aside for a test that has begun: if it is still there after a restart, the test was cut by a
    kill or a power cut, and the bytes count as used.
    """

    months: tuple[MonthUse, ...] = ()
    recent_test_bytes: tuple[int, ...] = ()
    held_bytes: int = 0
    outlook: Outlook | None = None

    @property
    def current(self) -> MonthUse:
        """The open month. Raises IndexError before the first `turned`."""
        return self.months[-1]


def turned(ledger: Ledger, month: str, status: ClockStatus) -> Ledger:
    """Return the ledger with the month open that the clock tells, `status` saying whether the clock is known."""
    latest = ledger.months[-1].month if ledger.months else ""
    if month == latest:
        return ledger
    if month > latest:
        months = (*ledger.months, MonthUse(month=month))[-KEPT_MONTHS_COUNT:]
        return msgspec.structs.replace(ledger, months=months, outlook=None)
    if status is not ClockStatus.COMPARED:
        return ledger
    earlier = tuple(one for one in ledger.months if one.month < month)
    gathered = [one for one in ledger.months if one.month >= month]
    own = next((one for one in gathered if one.month == month), MonthUse(month=month))
    whole = msgspec.structs.replace(
        own,
        tests_count=sum(one.tests_count for one in gathered),
        test_bytes=sum(one.test_bytes for one in gathered),
        other_bytes=sum(one.other_bytes for one in gathered),
    )
    return msgspec.structs.replace(ledger, months=(*earlier, whole), outlook=None)


def with_test(ledger: Ledger, test_bytes: int) -> Ledger:
    """Return the ledger after a throughput test, whatever came of it; what was held for it is given free."""
    current = _with_one_test(ledger.current, test_bytes)
    recent = ledger.recent_test_bytes
    if test_bytes:
        recent = (*recent, test_bytes)[-RECENT_TESTS_COUNT:]
    return msgspec.structs.replace(
        ledger, months=(*ledger.months[:-1], current), recent_test_bytes=recent, held_bytes=0
    )


def with_other(ledger: Ledger, other_bytes: int) -> Ledger:
    """Return the ledger after anything that was no throughput test."""
    current = msgspec.structs.replace(ledger.current, other_bytes=ledger.current.other_bytes + other_bytes)
    return msgspec.structs.replace(ledger, months=(*ledger.months[:-1], current))


def after_restart(ledger: Ledger) -> Ledger:
    """Return the ledger with what a cut test was held for counted as used, at the highest that it can have been."""
    if not ledger.held_bytes or not ledger.months:
        return ledger
    current = _with_one_test(ledger.current, ledger.held_bytes)
    return msgspec.structs.replace(ledger, months=(*ledger.months[:-1], current), held_bytes=0)


def with_cap(ledger: Ledger, cap_bytes: int | None) -> Ledger:
    """Return the ledger with the cap that is in force for the open month."""
    current = msgspec.structs.replace(ledger.current, cap_bytes=cap_bytes)
    return msgspec.structs.replace(ledger, months=(*ledger.months[:-1], current))


def with_line(ledger: Ledger, line_bytes: float) -> Ledger:
    """Return the ledger with the plan's line moved on."""
    current = msgspec.structs.replace(ledger.current, line_bytes=line_bytes)
    return msgspec.structs.replace(ledger, months=(*ledger.months[:-1], current))


def cap_in_force(ledger: Ledger, month_budget_bytes: int, carry_over_ratio: float) -> int:
    """Return the cap of the open month: the month's own, with what is carried over from the month before.

    What was used beyond the last cap is taken off, all of it. What was left is added, at most `carry_over_ratio` of the
    month's own. A month before that is not on record carries nothing. Never negative.
    """
    last = next((one for one in ledger.months[:-1] if one.month == before(ledger.current.month)), None)
    if last is None or last.cap_bytes is None:
        return month_budget_bytes
    left_bytes = last.cap_bytes - last.used_bytes
    carried_bytes = min(left_bytes, int(carry_over_ratio * month_budget_bytes))
    return max(0, month_budget_bytes + carried_bytes)


def _with_one_test(month: MonthUse, test_bytes: int) -> MonthUse:
    return msgspec.structs.replace(month, tests_count=month.tests_count + 1, test_bytes=month.test_bytes + test_bytes)
