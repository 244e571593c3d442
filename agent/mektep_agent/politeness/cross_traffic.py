"""Traffic of others: what crossed the interface, less what a test of ours moved.

Only this computer's own interface is seen; other computers of the school show in the round trips (`rtt_baseline`).
"""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from mektep_agent.link.counters import Crossed

_BITS = 8.0
_MICRO = 1e-6
OWN_RATIO = 1.06
"""Bytes on the line for each byte that a test of ours counts: headers of full segments, and their acknowledgements."""
ERROR_RATIO = 0.03
"""A rest below this part of our own bytes is the error of counting, and no traffic of others."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """The counters at one moment of the monotonic clock."""

    at_s: float
    crossed: Crossed


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic of others each way, seen from this computer."""

    received_mbps: float
    sent_mbps: float

    @property
    def total_mbps(self) -> float:
        """Both ways together."""
        return self.received_mbps + self.sent_mbps


def between(first: Moment, last: Moment, own_bytes: int = 0) -> Rates | None:
    """Return the rates from `first` to `last` less our own bytes, or None where the counters tell nothing.

    Our bytes are taken off what was received first, then off what was sent. Counters that went back (an interface that
    was taken down) tell nothing.
    """
    elapsed_s = last.at_s - first.at_s
    received = last.crossed.received_bytes - first.crossed.received_bytes
    sent = last.crossed.sent_bytes - first.crossed.sent_bytes
    if elapsed_s <= 0 or received < 0 or sent < 0:
        return None
    off_received = min(received, own_bytes)
    return Rates(
        received_mbps=_mbps(received - off_received, elapsed_s),
        sent_mbps=_mbps(max(0, sent - (own_bytes - off_received)), elapsed_s),
    )


def during(moments: Sequence[Moment], begin_s: float, end_s: float, own_bytes: int) -> float | None:
    """Return the Mbit/s of others, both ways, while a test of ours moved `own_bytes`; None where that is not known.

    `moments` are in the order of time; between two of them traffic is taken for even.
    """
    if not moments or end_s <= begin_s or not moments[0].at_s <= begin_s <= end_s <= moments[-1].at_s:
        return None
    total_bytes = _total_at(moments, end_s) - _total_at(moments, begin_s)
    if total_bytes < 0:
        return None
    rest_bytes = total_bytes - own_bytes * OWN_RATIO
    if rest_bytes <= own_bytes * ERROR_RATIO:
        return 0.0
    return _mbps(rest_bytes, end_s - begin_s)


def _total_at(moments: Sequence[Moment], at_s: float) -> float:
    index = min(max(bisect_right(moments, at_s, key=lambda one: one.at_s), 1), len(moments) - 1)
    if len(moments) == 1:
        return float(_total(moments[0]))
    before, after = moments[index - 1], moments[index]
    span_s = after.at_s - before.at_s
    share = (at_s - before.at_s) / span_s if span_s > 0 else 1.0
    return _total(before) + share * (_total(after) - _total(before))


def _total(moment: Moment) -> int:
    return moment.crossed.received_bytes + moment.crossed.sent_bytes


def _mbps(moved_bytes: float, elapsed_s: float) -> float:
    return moved_bytes * _BITS * _MICRO / elapsed_s
