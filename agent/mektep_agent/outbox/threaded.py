"""The outbox for asyncio: its disk waits happen on one thread of its own, in the order of the calls."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mektep_agent.outbox.parcel import Census, Parcel, Rejection, SetAside
from mektep_agent.outbox.queue import Outbox
from mektep_wire import Reading

T = TypeVar("T")


class ThreadedOutbox:
    """The same outbox with methods to await. A call that was begun ends, even when who awaits it is cancelled."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")

    async def put(
        self, readings: Sequence[Reading], marks: Sequence[str] = (), notes: Mapping[str, bytes] | None = None
    ) -> tuple[Reading, ...]:
        """Number and keep readings, with notes; raises as `Outbox.put`."""
        return await self._done(lambda: self._outbox.put(readings, marks, notes))

    async def parcel(self, max_readings: int, max_bytes: int, after_seq: int = 0) -> Parcel:
        """Return the oldest readings beyond `after_seq`."""
        return await self._done(lambda: self._outbox.parcel(max_readings, max_bytes, after_seq))

    async def settle(
        self,
        epoch: str,
        accepted: Sequence[int],
        rejected: Sequence[Rejection],
        notes: Mapping[str, bytes] | None = None,
    ) -> None:
        """Apply the fates of readings."""
        await self._done(lambda: self._outbox.settle(epoch, accepted, rejected, notes))

    async def marks(self) -> frozenset[str]:
        """Return the schedule's marks."""
        return await self._done(self._outbox.marks)

    async def unmark(self, names: Sequence[str]) -> None:
        """Forget marks."""
        await self._done(lambda: self._outbox.unmark(names))

    async def note(self, name: str) -> bytes | None:
        """Return what was noted under `name`."""
        return await self._done(lambda: self._outbox.note(name))

    async def keep_note(self, name: str, content: bytes) -> None:
        """Note `content` under `name`."""
        await self._done(lambda: self._outbox.keep_note(name, content))

    async def census(self) -> Census:
        """Return how the outbox stands."""
        return await self._done(self._outbox.census)

    def set_asides(self) -> tuple[SetAside, ...]:
        """Return which damaged files were set aside since the start."""
        return self._outbox.set_aside

    def close(self) -> None:
        """Let the last call end, and close the outbox."""
        self._thread.submit(self._outbox.close)
        self._thread.shutdown(wait=True)

    async def _done(self, work: Callable[[], T]) -> T:
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))
