"""Outages as time: the union of spans in which the line was down, so that two records of it count once. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec

from mektep_wire import OutageCause

LINE_CAUSES = frozenset({OutageCause.LAN, OutageCause.PROVIDER, OutageCause.DNS, OutageCause.UNKNOWN})
"""What keeps a school from the internet. A computer without power says nothing of the line, and a measuring server
that is away takes nothing from a school."""


class OutageSpan(msgspec.Struct, frozen=True, kw_only=True):
    """One outage of one device, by the collector's clock.

    `school_s` is how much of it fell into school hours; None: all of it. It may have begun `begin_uncertainty_s`
    earlier.
    """

    device_id: str
    begin: datetime
    end: datetime
    cause: OutageCause
    school_s: float | None = None
    begin_uncertainty_s: float = 0.0

    @property
    def is_of_the_line(self) -> bool:
        """Whether it counts against the school's line."""
        return self.cause in LINE_CAUSES

    @property
    def school_ratio(self) -> float:
        """The part of it that fell into school hours."""
        length_s = (self.end - self.begin).total_seconds()
        if self.school_s is None or length_s <= 0:
            return 1.0
        return min(1.0, self.school_s / length_s)

    def holds(self, device_id: str, at: datetime) -> bool:
        """Tell whether a run that the device began at `at` falls into this outage, and so belongs to it."""
        begin = self.begin - timedelta(seconds=self.begin_uncertainty_s)
        return device_id == self.device_id and begin <= at <= self.end


def down_s(outages: Iterable[OutageSpan], since: datetime, until: datetime) -> float:
    """Return the seconds of school from `since` to `until` in which the line was down, each second counted once."""
    spans = [one for one in outages if one.is_of_the_line and one.begin < until and one.end > since]
    edges = sorted({min(max(edge, since), until) for one in spans for edge in (one.begin, one.end)})
    total_s = 0.0
    for begin, end in pairwise(edges):
        ratios = [one.school_ratio for one in spans if one.begin <= begin and one.end >= end]
        total_s += (end - begin).total_seconds() * max(ratios, default=0.0)
    return total_s
