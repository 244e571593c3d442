"""How much of a download to let gather before it is read, without I/O.

A wake-up costs more processor time than the bytes that it fetches, so few large reads are better than many small ones.
But the system opens the receive window by what is read, and what waits takes room in it. So while the rate still grows
reads stay small, and where much comes they stay well below what the window holds.
"""

from typing import Final

_GROWTH_RATIO: Final = 1.25
_CALM_LOOKS: Final = 3
_RAMP_READS: Final = 16
_MOST_BYTES: Final = 1 << 21
"""Two thirds of the 3 MB that Linux offers as window at most: where less comes a second, the rest is plenty."""
_FAST_BYTES_A_S: Final = 15e6
_FAST_BYTES: Final = 1 << 19
"""On a link that brings more a second, it still saves most wake-ups."""


class Gather:
    """Sets the mark anew at each look, by what came since the last one."""

    def __init__(self) -> None:
        self._best_bytes_a_s = 0.0
        self._calm_count = 0

    def mark_bytes(self, came_bytes: int, in_s: float) -> int:
        """Return how many bytes are worth a wake-up until the next look; `came_bytes` came in the last `in_s`.

        While the rate grows by a quarter within three looks, a sixteenth of what came; after that twice what came, so
        that the looks themselves are the only wake-ups, but never much of the window.
        """
        bytes_a_s = came_bytes / in_s if in_s > 0 else 0.0
        if bytes_a_s > self._best_bytes_a_s * _GROWTH_RATIO:
            self._best_bytes_a_s = bytes_a_s
            self._calm_count = 0
        else:
            self._calm_count += 1
        if self._calm_count < _CALM_LOOKS:
            return max(came_bytes // _RAMP_READS, 1)
        return min(max(2 * came_bytes, 1), _FAST_BYTES if bytes_a_s > _FAST_BYTES_A_S else _MOST_BYTES)
