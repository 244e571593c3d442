import asyncio
from collections.abc import Callable, Sequence
from random import Random
from time import sleep as blocking_sleep

import pytest

from mektep_collector.jobs.feed import Feeder, FeedError
from mektep_collector.journal.entry import Entry
from mektep_collector.store.error import StoreError
from tests.support.school_device import NOON

DEADLINE_S = 10.0


class ListJournal:
    """Entries without readings; grows when told."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.grown = asyncio.Event()

    def position(self) -> int:
        return self.count

    def read(self, after_position: int, limit: int) -> Sequence[Entry]:
        last = min(self.count, after_position + limit)
        return [Entry(position=each, received_at=NOON, accepted=[]) for each in range(after_position + 1, last + 1)]

    async def wait_beyond(self, position: int, patience_s: float) -> bool:
        if self.count <= position:
            self.grown.clear()
            await asyncio.wait_for(self.grown.wait(), patience_s)
        return self.count > position


class CountingStore:
    """Knows only its position; `broken` makes it fail."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.broken = False
        self.attempts_count = 0

    def position(self) -> int:
        return self.at

    def put(self, entries: Sequence[Entry]) -> None:
        self.attempts_count += 1
        if self.broken:
            raise StoreError("the disk is full")
        assert [entry.position for entry in entries] == list(range(self.at + 1, self.at + 1 + len(entries)))
        self.at = entries[-1].position


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 (the condition is the feeder's, which tells nobody)
            await asyncio.sleep(0.005)


def test_a_store_behind_catches_up_in_order_and_follows() -> None:
    async def run() -> None:
        journal, store = ListJournal(100), CountingStore(at=7)
        feeder = Feeder(journal, store, Random(1))
        assert feeder.lag() == 93
        feeding = asyncio.create_task(feeder.run())
        await _until(lambda: feeder.lag() == 0)
        journal.count = 105
        journal.grown.set()
        await _until(lambda: store.at == 105)
        feeding.cancel()
        await asyncio.wait([feeding])

    asyncio.run(run())


def test_while_somebody_waits_for_a_page_there_is_a_pause_between_two_steps() -> None:
    class SlowStore(CountingStore):
        def put(self, entries: Sequence[Entry]) -> None:
            blocking_sleep(0.02)
            super().put(entries)

    async def run(has_audience: bool) -> float:
        loop, store = asyncio.get_running_loop(), SlowStore()
        feeder = Feeder(ListJournal(320), store, Random(1), lambda: has_audience)
        began_s = loop.time()
        await feeder.catch_up()
        assert store.at == 320
        return loop.time() - began_s

    assert asyncio.run(run(True)) > 2 * 10 * 0.02 + 10 * 0.02 - 0.04
    assert asyncio.run(run(False)) >= 10 * 0.02


def test_a_store_that_fails_is_tried_again_said_loudly_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        journal, store = ListJournal(3), CountingStore()
        store.broken = True
        feeder = Feeder(journal, store, Random(1))
        feeding = asyncio.create_task(feeder.run())
        await _until(lambda: feeder.failures_count() == 1)
        assert feeder.lag() == 3
        store.broken = False
        await _until(lambda: feeder.lag() == 0 and feeder.failures_count() == 0)
        assert store.attempts_count == 2
        feeding.cancel()
        await asyncio.wait([feeding])

    asyncio.run(run())
    assert "store_not_fed" in caplog.text
    assert "the disk is full" in caplog.text


def test_a_store_ahead_of_its_journal_is_named_and_left_alone() -> None:
    feeder = Feeder(ListJournal(3), CountingStore(at=9), Random(1))
    with pytest.raises(FeedError, match="directory or InfluxDB's database aside"):
        asyncio.run(feeder.catch_up())
