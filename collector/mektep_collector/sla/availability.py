"""Availability: runs that gave a result over runs that were made or would have been. A skipped run is in neither.

An outage counts by its time in school hours, one run for each `RUN_S`: so often the line is asked whether it lives. The
failed runs that fell into it belong to it, and are not counted a second time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from mektep_collector.sla.outage import OutageSpan, down_s

RUN_S = 900.0
"""The time of an outage that weighs as much as one failed run."""


class FailedRun(msgspec.Struct, frozen=True):
    """A run that gave no result: whose, and when it began."""

    device_id: str
    at: datetime


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """Good runs, failed ones outside outages, and the time that outages took, which stands for runs as well.

    `failed_in_outage_count` failed runs belong to outages: they are told, and count through the outage alone.
    """

    ok_count: int
    failed_count: int
    failed_in_outage_count: int = 0
    outage_count: int = 0
    outage_s: float = 0.0

    @property
    def runs_count(self) -> int:
        """How many runs were made in all."""
        return self.ok_count + self.failed_count + self.failed_in_outage_count

    @property
    def ratio(self) -> float | None:
        """Share of good runs, 0 to 1; None where nothing was made and nothing was down."""
        expected = self.ok_count + self.failed_count + self.outage_s / RUN_S
        return self.ok_count / expected if expected else None


def availability(
    ok_count: int, failed: Iterable[FailedRun], outages: Sequence[OutageSpan], since: datetime, until: datetime
) -> Availability:
    """Return the availability from `since` to `until`, in whose runs `failed` are those without a result."""
    counted = [one for one in outages if one.begin < until and one.end > since]
    outside_count = inside_count = 0
    for run in failed:
        if any(one.holds(run.device_id, run.at) for one in counted):
            inside_count += 1
        else:
            outside_count += 1
    return Availability(
        ok_count=ok_count,
        failed_count=outside_count,
        failed_in_outage_count=inside_count,
        outage_count=sum(one.is_of_the_line for one in counted),
        outage_s=down_s(counted, since, until),
    )
