"""How often the same one may try: a bucket of tokens each, in memory, for as many as fit."""

import threading
from collections import OrderedDict

import msgspec

from mektep_collector.clock import TimeSource

_KNOWN_COUNT = 20_000


class _Bucket(msgspec.Struct):
    level: float
    at_s: float


class AttemptLimit:
    """Lets `burst_count` attempts through at once, then one every `interval_s`, for each key. Safe for many threads.

    When more keys come than are kept, the one that tried longest ago is forgotten.
    """

    def __init__(self, burst_count: int, interval_s: float, time: TimeSource) -> None:
        self._burst_count = burst_count
        self._interval_s = interval_s
        self._time = time
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """Count an attempt and return 0 where it may go on; else return the seconds until one may."""
        now_s = self._time.monotonic_s()
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket(float(self._burst_count), now_s))
            self._buckets.move_to_end(key)
            if len(self._buckets) > _KNOWN_COUNT:
                self._buckets.popitem(last=False)
            refilled = bucket.level + (now_s - bucket.at_s) / self._interval_s
            bucket.level, bucket.at_s = min(float(self._burst_count), refilled), now_s
            if bucket.level < 1.0:
                return (1.0 - bucket.level) * self._interval_s
            bucket.level -= 1.0
            return 0.0

    def forget(self, key: str) -> None:
        """Count none of the attempts of one that has shown who it is."""
        with self._lock:
            self._buckets.pop(key, None)
