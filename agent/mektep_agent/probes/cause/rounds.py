"""Rounds of small packets while something else goes on, each remembered with its time, so that a part can be taken."""

from collections.abc import Iterable, Sequence

import msgspec

from mektep_agent.statistics.latency import nearest_rank
from mektep_wire import Trips


class Round(msgspec.Struct, frozen=True):
    """One packet: when it was sent, and what it took; None where it did not come back."""

    sent_s: float
    rtt_ms: float | None


def between(rounds: Iterable[Round], begin_s: float, end_s: float) -> Trips | None:
    """Return the rounds that were sent from `begin_s` to `end_s`; None where there was none."""
    return trips([each.rtt_ms for each in rounds if begin_s <= each.sent_s <= end_s])


def trips(rtts_ms: Sequence[float | None]) -> Trips | None:
    """Return count and median of round trips, None of no trial."""
    if not rtts_ms:
        return None
    answered = sorted(rtt_ms for rtt_ms in rtts_ms if rtt_ms is not None)
    return Trips(
        asked_count=len(rtts_ms),
        answered_count=len(answered),
        median_ms=round(nearest_rank(answered, 0.5), 3) if answered else None,
        second_longest_ms=round(answered[-2:][0], 3) if answered else None,
    )
