"""Months in the ledger: boundaries in the school's zone, clocks that jump, carry-over; no byte ever disappears."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mektep_agent.budget.ledger import (
    Ledger,
    MonthUse,
    after_restart,
    cap_in_force,
    turned,
    with_cap,
    with_other,
    with_test,
)
from mektep_agent.budget.month import before, end_of, month_of
from mektep_wire import ClockStatus

ALMATY, NEW_YORK = ZoneInfo("Asia/Almaty"), ZoneInfo("America/New_York")
KNOWN, UNKNOWN = ClockStatus.COMPARED, ClockStatus.UNKNOWN


def _used(ledger: Ledger) -> int:
    return sum(one.used_bytes for one in ledger.months)


def test_a_month_begins_at_the_schools_own_midnight() -> None:
    assert month_of(datetime(2026, 10, 31, 18, 59, tzinfo=UTC), ALMATY) == "2026-10"
    assert month_of(datetime(2026, 10, 31, 19, 0, tzinfo=UTC), ALMATY) == "2026-11"
    assert end_of("2026-10", ALMATY) == datetime(2026, 10, 31, 19, 0, tzinfo=UTC)
    assert end_of("2026-12", ALMATY) == datetime(2026, 12, 31, 19, 0, tzinfo=UTC)


def test_the_month_before_january_is_december() -> None:
    assert (before("2027-01"), before("2026-11")) == ("2026-12", "2026-10")


@given(st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)), st.sampled_from([ALMATY, NEW_YORK]))  # noqa: DTZ001
def test_a_month_ends_after_all_that_is_in_it(at: datetime, zone: ZoneInfo) -> None:
    aware = at.replace(tzinfo=UTC)
    month = month_of(aware, zone)
    assert aware < end_of(month, zone)
    assert before(month_of(end_of(month, zone), zone)) == month


def test_a_clock_that_ran_ahead_gives_its_bytes_back_to_the_right_month() -> None:
    ledger = with_test(turned(Ledger(), "2026-11", KNOWN), 100)
    ahead = with_other(with_test(turned(ledger, "2031-02", UNKNOWN), 40), 2)
    right = turned(ahead, "2026-11", KNOWN)
    assert (right.current.month, right.current.test_bytes, right.current.other_bytes) == ("2026-11", 140, 2)


def test_an_empty_clock_battery_reopens_no_month() -> None:
    ledger = with_test(turned(Ledger(), "2026-11", KNOWN), 100)
    dead = with_test(turned(ledger, "2015-01", UNKNOWN), 7)
    assert (dead.current.month, dead.current.used_bytes) == ("2026-11", 107)


def test_a_month_that_is_over_is_kept_and_the_new_one_is_empty() -> None:
    ledger = turned(with_test(turned(Ledger(), "2026-10", KNOWN), 100), "2026-11", UNKNOWN)
    assert [(one.month, one.used_bytes) for one in ledger.months] == [("2026-10", 100), ("2026-11", 0)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["2015-01", "2026-10", "2026-11", "2026-12"]),
            st.sampled_from(ClockStatus),
            st.integers(0, 10**9),
        ),
        max_size=30,
    )
)
def test_whatever_the_clock_does_the_open_month_has_all_that_was_used_since_it_was_truly_open(
    steps: list[tuple[str, ClockStatus, int]],
) -> None:
    """A truthful clock says November at the end: what was used under dates after October's end is in November."""
    ledger, since = turned(Ledger(), "2026-11", KNOWN), 0
    for month, status, spent in steps:
        if status is KNOWN and month != "2026-11":
            continue  # a clock that is known to be right tells the truth here
        ledger = with_test(turned(ledger, month, status), spent)
        since += spent
    ledger = turned(ledger, "2026-11", KNOWN)
    assert ledger.current.used_bytes == since == _used(ledger)


def test_a_test_that_a_power_cut_ended_counts_with_what_was_held_for_it() -> None:
    ledger = msgspec.structs.replace(turned(Ledger(), "2026-11", KNOWN), held_bytes=50)
    restarted = after_restart(ledger)
    assert (restarted.current.test_bytes, restarted.held_bytes) == (50, 0)
    assert after_restart(restarted) == restarted


def test_a_test_that_ended_gives_free_what_was_held_and_is_remembered() -> None:
    ledger = msgspec.structs.replace(turned(Ledger(), "2026-11", KNOWN), held_bytes=50)
    ended = with_test(ledger, 30)
    assert (ended.current.test_bytes, ended.held_bytes, ended.recent_test_bytes) == (30, 0, (30,))


@pytest.mark.parametrize(
    ("last_used", "ratio", "expected"),
    [
        (1_000, 0.0, 1_000),  # all was used
        (1_300, 0.0, 700),  # what was used beyond the cap is taken off
        (3_000, 0.5, 0),  # never negative
        (400, 0.0, 1_000),  # by default what was left is not added
        (400, 0.25, 1_250),  # up to the ratio
        (900, 0.25, 1_100),  # and no more than was left
    ],
)
def test_what_is_carried_over(last_used: int, ratio: float, expected: int) -> None:
    ledger = with_test(with_cap(turned(Ledger(), "2026-10", KNOWN), 1_000), last_used)
    assert cap_in_force(turned(ledger, "2026-11", KNOWN), 1_000, ratio) == expected


def test_a_month_without_record_or_without_a_cap_carries_nothing() -> None:
    assert cap_in_force(turned(Ledger(), "2026-11", KNOWN), 1_000, 0.5) == 1_000
    free = with_test(turned(Ledger(), "2026-10", KNOWN), 9_000)
    assert cap_in_force(turned(free, "2026-11", KNOWN), 1_000, 0.5) == 1_000
    long_ago = Ledger(months=(MonthUse(month="2026-08", cap_bytes=1_000), MonthUse(month="2026-11")))
    assert cap_in_force(long_ago, 1_000, 0.5) == 1_000
