"""A job that does the same again and again: what goes wrong is logged, counted, and tried in the next round."""

import asyncio
import logging
from collections.abc import Callable

_LOG = logging.getLogger(__name__)


class Rounds:
    """Runs `step`, which blocks, in a thread, and then once every `pause_s`; `failed` names its failure in the log."""

    def __init__(self, step: Callable[[], object], failed: str, pause_s: float) -> None:
        self._step = step
        self._failed = failed
        self._pause_s = pause_s
        self._failures_count = 0

    def failures_count(self) -> int:
        """Return how often in a row the step has failed, 0 when it went well the last time."""
        return self._failures_count

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self._step)
                self._failures_count = 0
            except Exception:  # noqa: BLE001 (the supervisor: a step that fails leaves things as they were)
                self._failures_count += 1
                _LOG.exception(self._failed, extra={"next_attempt_s": self._pause_s})
            await asyncio.sleep(self._pause_s)
