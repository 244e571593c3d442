"""How many tests run at once, so that each of them measures the school's link and not this server."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum, auto


class Place(Enum):
    """What a client that asks for a test is told."""

    FREE = auto()
    TAKEN = auto()


class Admission:
    """Counts running tests up to a limit; may be asked from any thread."""

    def __init__(self, limit_count: int) -> None:
        self._limit_count = limit_count
        self._lock = threading.Lock()
        self._active_count = 0

    @contextmanager
    def place(self) -> Generator[Place, None, None]:
        """Hold a place for the time of the block, if there is one."""
        with self._lock:
            place = Place.FREE if self._active_count < self._limit_count else Place.TAKEN
            if place is Place.FREE:
                self._active_count += 1
        try:
            yield place
        finally:
            if place is Place.FREE:
                with self._lock:
                    self._active_count -= 1
