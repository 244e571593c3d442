"""The one place where a bug is caught: it is logged with its traceback, and the daemon goes on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

_LOG = logging.getLogger(__name__)
PAUSE_AFTER_BUG_S = 60.0


async def keep_going(name: str, work: Callable[[], Awaitable[object]], pause_s: float = PAUSE_AFTER_BUG_S) -> None:
    """Run `work` again and again, with a pause after a bug; it ends only when it is cancelled."""
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 (the supervisor)
            _LOG.exception("task_failed", extra={"task": name})
        await asyncio.sleep(pause_s)


async def once(name: str, work: Awaitable[object]) -> None:
    """Await `work`; a bug in it is logged and ends nothing else."""
    try:
        await work
    except Exception:  # noqa: BLE001 (the supervisor)
        _LOG.exception("task_failed", extra={"task": name})
