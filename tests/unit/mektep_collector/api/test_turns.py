"""Turns between many batches, so that one request that is none of them has not to wait for all."""

import asyncio
from contextlib import ExitStack

import pytest

from mektep_collector.api.turns import FIRST_TURN_S, LONGEST_TOLD_S, LONGEST_WAIT_S, TURNS_COUNT, Turns


async def _batches(turns: Turns, count: int, done: list[str]) -> list[asyncio.Task[None]]:
    async def batch(number: int) -> None:
        with turns.visit():
            await asyncio.sleep(0)  # its body comes
            await turns.take()
            done.append(f"batch {number}")

    tasks = [asyncio.ensure_future(batch(number)) for number in range(count)]
    for _ in range(2):  # all are here, and the first have asked for their turn
        await asyncio.sleep(0)
    return tasks


def test_few_have_their_turn_at_once() -> None:
    async def run() -> list[str]:
        done: list[str] = []
        await _batches(Turns(), 4, done)
        return done

    assert asyncio.run(run()) == [f"batch {number}" for number in range(4)]


def test_of_many_one_has_its_turn_in_a_round_and_others_come_between() -> None:
    async def run() -> list[str]:
        done: list[str] = []
        tasks = await _batches(Turns(), 100, done)
        done.append("a page")
        await asyncio.gather(*tasks)
        return done

    done = asyncio.run(run())
    assert done.index("a page") < 10
    assert [each for each in done if each != "a page"] == [f"batch {number}" for number in range(100)]


def test_who_hangs_up_holds_up_nobody() -> None:
    async def run() -> list[str]:
        done: list[str] = []
        tasks = await _batches(Turns(), 20, done)
        for task in tasks[10:15]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return done

    assert asyncio.run(run()) == [f"batch {number}" for number in [*range(10), *range(15, 20)]]


SEEN_COUNT = round(LONGEST_WAIT_S / FIRST_TURN_S / TURNS_COUNT)


@pytest.mark.parametrize(("count", "is_full"), [(SEEN_COUNT - 100, False), (SEEN_COUNT + 200, True)])
def test_more_than_will_soon_be_done_are_told_for_how_long(count: int, is_full: bool) -> None:
    async def run() -> float:
        turns = Turns()
        tasks = await _batches(turns, count, [])
        wait_s = turns.wait_s(0.0)
        await asyncio.gather(*tasks)
        assert turns.wait_s(0.0) == 0.0
        return wait_s

    wait_s = asyncio.run(run())
    assert wait_s > LONGEST_WAIT_S if is_full else wait_s == 0.0


def test_those_whose_body_is_still_to_come_count_as_well() -> None:
    turns = Turns()
    with ExitStack() as visits:
        for _ in range(SEEN_COUNT + 1):
            visits.enter_context(turns.visit())
        assert turns.wait_s(0.0) > LONGEST_WAIT_S
    assert turns.wait_s(0.0) == 0.0


def test_each_is_told_to_come_after_those_who_were_told_before() -> None:
    turns = Turns()
    with ExitStack() as visits:
        for _ in range(SEEN_COUNT):
            visits.enter_context(turns.visit())
        told_s = [turns.wait_s(0.0) for _ in range(100)]
        assert told_s == sorted(set(told_s))
        assert told_s[-1] - told_s[0] == pytest.approx(99 * TURNS_COUNT * FIRST_TURN_S)
        assert turns.wait_s(told_s[-1]) == pytest.approx(told_s[0]), "whose time has come is not counted any more"
        assert max(turns.wait_s(0.0) for _ in range(100_000)) == LONGEST_TOLD_S


def test_while_somebody_waits_for_a_page_there_is_a_pause_between_two_turns() -> None:
    async def run(has_audience: bool) -> float:
        loop, done = asyncio.get_running_loop(), list[str]()
        began_s = loop.time()
        await asyncio.gather(*await _batches(Turns(lambda: has_audience), 21, done))
        assert len(done) == 21
        return loop.time() - began_s

    assert asyncio.run(run(True)) > 0.2
    assert asyncio.run(run(False)) < 0.2


def test_where_turns_are_quick_more_may_wait() -> None:
    async def run() -> float:
        turns = Turns()
        await asyncio.gather(*await _batches(turns, 500, []))
        await _batches(turns, 2 * SEEN_COUNT, [])
        return turns.wait_s(0.0)

    assert asyncio.run(run()) == 0.0
