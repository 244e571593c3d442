import asyncio
import logging

import pytest

from mektep_collector.jobs.rounds import Rounds

DEADLINE_S = 10.0


class Step:
    """Fails as often as told, and tells when it has been done `wanted_count` times."""

    def __init__(self, failing_count: int, wanted_count: int) -> None:
        self.done_count = 0
        self.failures_seen: list[int] = []
        self.reached = asyncio.Event()
        self._failing_count = failing_count
        self._wanted_count = wanted_count
        self._loop = asyncio.get_running_loop()
        self.rounds = Rounds(self, "step_failed", pause_s=0.001)

    def __call__(self) -> None:
        self.done_count += 1
        self.failures_seen.append(self.rounds.failures_count())
        if self.done_count == self._wanted_count:
            self._loop.call_soon_threadsafe(self.reached.set)
        if self.done_count <= self._failing_count:
            raise ValueError("the disk is full")


async def _run(failing_count: int, wanted_count: int) -> Step:
    step = Step(failing_count, wanted_count)
    running = asyncio.ensure_future(step.rounds.run())
    async with asyncio.timeout(DEADLINE_S):
        await step.reached.wait()
    running.cancel()
    return step


def test_a_step_is_done_again_and_again() -> None:
    step = asyncio.run(_run(failing_count=0, wanted_count=3))
    assert step.failures_seen[:3] == [0, 0, 0]


def test_what_fails_is_said_counted_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        step = asyncio.run(_run(failing_count=2, wanted_count=4))
    assert step.failures_seen[:4] == [0, 1, 2, 0]
    assert [record.message for record in caplog.records] == ["step_failed", "step_failed"]
    assert "the disk is full" in str(caplog.records[0].exc_info)
