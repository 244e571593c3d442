"""How long to wait after trouble: full jitter, so that a country's agents do not come back all at once."""

from random import Random

BASE_S = 5.0
CAP_S = 1_800.0
RETRY_AFTER_CAP_S = 21_600.0
_JITTER_SHARE = 0.1
_MAX_DOUBLINGS = 16


class Backoff:
    """Waits that grow with each failure in a row, for ever, and begin anew after a success."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures_count = 0

    @property
    def failures_count(self) -> int:
        """Failures in a row."""
        return self._failures_count

    def next_s(self) -> float:
        """Count one more failure and return the wait: uniform between 0 and the doubled base, at most the cap."""
        ceiling_s = min(CAP_S, BASE_S * 2 ** min(self._failures_count, _MAX_DOUBLINGS))
        self._failures_count += 1
        return self._random.uniform(0.0, ceiling_s)

    def asked_s(self, retry_after_s: float) -> float:
        """Count one more failure and return the wait that the collector asked for, spread a little, at most 6 h."""
        self._failures_count += 1
        asked_s = min(max(retry_after_s, 0.0), RETRY_AFTER_CAP_S)
        return asked_s + self._random.uniform(0.0, max(asked_s * _JITTER_SHARE, BASE_S))

    def succeed(self) -> None:
        """Begin anew."""
        self._failures_count = 0
