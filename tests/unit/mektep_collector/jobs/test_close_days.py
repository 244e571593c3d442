from collections.abc import Sequence
from datetime import date, datetime

import pytest

from mektep_collector.jobs.close_days import close_due_days
from mektep_collector.store.error import StoreError
from tests.support.school_device import NOON

FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)


class ListedDays:
    """Days that are due; those in `harmed` cannot be closed the first time."""

    def __init__(self, *due: date, harmed: Sequence[date] = ()) -> None:
        self.due = list(due)
        self.harmed = list(harmed)
        self.done: list[object] = []

    def due_days(self, now: datetime) -> Sequence[date]:
        self.done.append(now)
        return list(self.due)

    def close_day(self, day: date) -> None:
        if day in self.harmed:
            self.harmed.remove(day)
            raise StoreError(f"the day {day} cannot be closed: the disk is full")
        self.due.remove(day)
        self.done.append(day)

    def tidy(self) -> None:
        self.done.append("tidied")


def test_what_is_due_is_closed_in_order_and_leftovers_go_first() -> None:
    store = ListedDays(FIRST, SECOND)
    close_due_days(store, NOON)
    assert store.done == ["tidied", NOON, FIRST, SECOND]


def test_a_day_that_cannot_be_closed_is_said_and_closed_the_next_time() -> None:
    store = ListedDays(FIRST, SECOND, harmed=[FIRST])
    with pytest.raises(StoreError, match="disk is full"):
        close_due_days(store, NOON)
    assert store.due == [FIRST, SECOND]
    close_due_days(store, NOON)
    assert store.due == []
