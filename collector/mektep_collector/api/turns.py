"""Turns: when many batches come at once, they are worked on one after another, and other requests have theirs between.

Finding out who sends and opening a batch take some milliseconds of the one thread that answers everything. A thousand
that are ready together would keep a page waiting for all of them, and those that come last would wait until they give
up.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_FEW_COUNT: Final = 4
LONGEST_WAIT_S: Final = 10.0
"""Who would wait for longer is told to come back: agents give up after 60 s, and what they gave up was work lost."""
FIRST_TURN_S: Final = 0.005
"""What a turn is thought to take before any has been seen."""
LONGEST_TOLD_S: Final = 600.0
"""Nobody is told to stay away for longer, however many come."""
TURNS_COUNT: Final = 2
"""What a visit is thought to take: to be known, and to be opened."""
_PAUSE_S: Final = 0.02
"""Between two turns while somebody waits for a page."""
_LATEST_RATIO: Final = 0.02


class Turns:
    """The queue of one event loop. `has_audience` tells whether people wait for a page."""

    def __init__(self, has_audience: Callable[[], bool] = lambda: False) -> None:
        self._has_audience = has_audience
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._here_count = 0
        self._is_calling = False
        self._turn_s = FIRST_TURN_S
        self._called_s = 0.0
        self._promised_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """Return 0 where there is room for one more, else the seconds until there will be, by the event loop's clock.

        Who is told to come later is told so after those who were told before: else all would come back together.
        """
        visit_s = TURNS_COUNT * self._turn_s
        ahead_s = self._here_count * visit_s
        if ahead_s < LONGEST_WAIT_S:
            return 0.0
        latest_s = now_s + LONGEST_TOLD_S
        self._promised_s = min(latest_s, max(self._promised_s, now_s + ahead_s) + visit_s)
        return self._promised_s - now_s

    def is_crowded(self) -> bool:
        """Tell whether anybody waits for a turn."""
        return bool(self._waiting)

    @contextmanager
    def visit(self) -> Generator[None, None, None]:
        """Be here for the time of the block."""
        self._here_count += 1
        try:
            yield
        finally:
            self._here_count -= 1

    async def take(self) -> None:
        """Return at once where few are here, else when it is one's turn: one in a round of the event loop."""
        if self._here_count <= _FEW_COUNT and not self._waiting:
            return
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if not self._is_calling:
            self._is_calling = True
            self._called_s = loop.time()
            loop.call_soon(self._call, loop)
        await turn

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # who hung up has left the queue
                turn.set_result(None)
                break
        self._is_calling = bool(self._waiting)
        if self._is_calling:
            self._time_turn(loop.time())
            if self._has_audience():
                loop.call_later(_PAUSE_S, self._call, loop)
            else:
                loop.call_soon(self._call, loop)

    def _time_turn(self, now_s: float) -> None:
        """Follow what a turn takes: with it, all that the loop and other threads do between two of them."""
        self._turn_s += _LATEST_RATIO * (now_s - self._called_s - self._turn_s)
        self._called_s = now_s
