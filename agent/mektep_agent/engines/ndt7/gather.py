"""How long to let bytes gather before the next read of a download, without I/O.

A wake-up costs more processor time than the bytes that it fetches, so few large reads are better than many small ones.
But what is not read fills the receive window, and a full one would slow the very link that is measured. So a read aims
at a share of the receive buffer as it is now: the system lets the buffer grow with what is read.
"""

from typing import Final

_MOST_BYTES: Final = 1 << 20
_BUFFER_FRACTION: Final = 4
"""Linux offers half of the buffer as window; half of that may wait for us while the other half is under way."""

_FIRST_S: Final = 0.002
_MOST_S: Final = 0.1
_MOST_RATIO: Final = 0.1
_MOST_GROWTH: Final = 2.0


class Gather:
    """Steers the pause by what the last one gathered."""

    def __init__(self) -> None:
        self._pause_s = _FIRST_S

    def next_pause_s(self, read_bytes: int, buffer_bytes: int, elapsed_s: float) -> float:
        """Return how long to wait before the next read.

        `read_bytes` came since the last pause, `buffer_bytes` is the receive buffer's size now. The pause at most
        doubles at a time, shrinks at once, and stays below a tenth of the test so far and 0.1 s.
        """
        enough_bytes = min(_MOST_BYTES, buffer_bytes // _BUFFER_FRACTION)
        change = min(enough_bytes / max(read_bytes, 1), _MOST_GROWTH)
        self._pause_s = min(max(self._pause_s * change, _FIRST_S), _MOST_S, elapsed_s * _MOST_RATIO)
        return self._pause_s
