import asyncio
from collections.abc import Sequence
from datetime import date, datetime

from mektep_collector.jobs.close_days import DayClosing
from mektep_collector.store.error import StoreError
from tests.support.school_device import NOON

DEADLINE_S = 10.0
FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)


class SetTime:
    def now(self) -> datetime:
        return NOON

    def monotonic_s(self) -> float:
        return 0.0


class ListedDays:
    """Days that are due; those in `harmed` cannot be closed."""

    def __init__(self, *due: date, harmed: Sequence[date] = ()) -> None:
        self.due = list(due)
        self.harmed = list(harmed)
        self.asked_at: list[datetime] = []
        self.tidied_count = 0

    def due_days(self, now: datetime) -> Sequence[date]:
        self.asked_at.append(now)
        return list(self.due)

    def close_day(self, day: date) -> None:
        if day in self.harmed:
            self.harmed.remove(day)
            raise StoreError(f"the day {day} cannot be closed: the disk is full")
        self.due.remove(day)

    def tidy(self) -> None:
        self.tidied_count += 1


async def _run_until_closed(closing: DayClosing, store: ListedDays) -> None:
    running = asyncio.ensure_future(closing.run())
    async with asyncio.timeout(DEADLINE_S):
        while store.due or closing.failures_count():  # noqa: ASYNC110 (the job tells nobody)
            await asyncio.sleep(0.005)
    running.cancel()


def test_what_is_due_is_closed_and_leftovers_go_first() -> None:
    store = ListedDays(FIRST, SECOND)
    asyncio.run(_run_until_closed(DayClosing(store, SetTime()), store))
    assert store.tidied_count == 1
    assert store.asked_at == [NOON]


def test_a_day_that_cannot_be_closed_is_tried_again() -> None:
    store = ListedDays(FIRST, SECOND, harmed=[FIRST, SECOND])
    asyncio.run(_run_until_closed(DayClosing(store, SetTime(), pause_s=0.01), store))
    assert store.tidied_count >= 3
