"""Writes down, now and then, which devices were seen: once for many requests."""

import asyncio
import logging
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

_LOG = logging.getLogger(__name__)
_INTERVAL_S = 60.0


class Seen(Protocol):
    """Who knows which devices came."""

    def write_seen(self) -> None:
        """Write down that the devices let in since the last call were seen now; blocks for a transaction."""
        ...


async def note_seen(seen: Seen, interval_s: float = _INTERVAL_S) -> None:
    """Write every `interval_s` until cancelled. A database that cannot be written is logged; the time is lost then."""
    while True:
        await asyncio.sleep(interval_s)
        try:
            await asyncio.to_thread(seen.write_seen)
        except SQLAlchemyError:
            _LOG.exception("seen_not_written")
