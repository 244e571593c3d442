"""How many datagrams a source gets answered: token buckets, without I/O, in memory that does not grow.

Sources of UDP can be forged. An echo that is no larger than its question, and that stops answering a source which asks
too much, is of no use for a flood; a limit over all sources bounds what even many forged ones can draw.
"""

import ipaddress
from collections import OrderedDict

_MAX_SOURCES_COUNT = 65_536


class Bucket:
    """Tokens that come back at a steady rate, up to a limit."""

    __slots__ = ("_at_s", "_burst_count", "_per_s", "_tokens")

    def __init__(self, per_s: float, burst_count: float, now_s: float) -> None:
        self._per_s = per_s
        self._burst_count = burst_count
        self._tokens = burst_count
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Take one token; False where there is none."""
        self._tokens = min(self._burst_count, self._tokens + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class SourceLimit:
    """A bucket for each source, and one for all. The source that was longest silent is forgotten first."""

    def __init__(self, per_s: float, burst_count: int, all_per_s: float, now_s: float) -> None:
        self._per_s = per_s
        self._burst_count = burst_count
        self._all = Bucket(all_per_s, all_per_s, now_s)
        self._sources: OrderedDict[str, Bucket] = OrderedDict()

    def admits(self, host: str, now_s: float) -> bool:
        """Say whether a datagram from the address `host` is answered now, and count it if so."""
        source = source_of(host)
        bucket = self._sources.get(source)
        if bucket is None:
            if len(self._sources) >= _MAX_SOURCES_COUNT:
                self._sources.popitem(last=False)
            bucket = self._sources[source] = Bucket(self._per_s, self._burst_count, now_s)
        else:
            self._sources.move_to_end(source)
        return bucket.take(now_s) and self._all.take(now_s)


def source_of(host: str) -> str:
    """Return what counts as one source: an IPv4 address, or an IPv6 network of 64 bits, the least a site gets."""
    if ":" not in host:
        return host
    return str(ipaddress.IPv6Network((host.partition("%")[0], 64), strict=False))
