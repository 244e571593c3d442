"""When M-Lab lets a client test: at random, six hours apart in the mean, four times in any 24 hours at most. Pure.

M-Lab asks clients that run by themselves to wait for times drawn from an exponential distribution of mean 21600 s,
clamped to 2160 s and 54000 s, and integrations to test no more than four times a day.
"""

from datetime import datetime, timedelta
from random import Random

import msgspec

MEAN_GAP_S = 21_600.0
LEAST_GAP_S = 2_160.0
LONGEST_GAP_S = 54_000.0
MOST_IN_A_DAY_COUNT = 4
DAY = timedelta(days=1)
_NO_CAPACITY_MEANS_S = (60.0, 120.0, 240.0, 480.0, 960.0)
_NO_CAPACITY_DEVIATION_RATIO = 0.05


class MlabLog(msgspec.Struct, frozen=True, kw_only=True):
    """When tests began in the last day, when the next may, and how often in a row there was no capacity."""

    begun: tuple[datetime, ...] = ()
    next_at: datetime | None = None
    refused_count: int = 0


def gap_s(random: Random) -> float:
    """Return the wait between one test and the next."""
    return min(max(random.expovariate(1.0 / MEAN_GAP_S), LEAST_GAP_S), LONGEST_GAP_S)


def may_begin(log: MlabLog, now: datetime) -> bool:
    """Tell whether a test may begin at `now`. A clock that was set back lets none begin sooner than the policy does."""
    if log.next_at is not None and now < log.next_at:
        return False
    return sum(now - DAY < begun for begun in log.begun) < MOST_IN_A_DAY_COUNT


def with_test(log: MlabLog, now: datetime, random: Random) -> MlabLog:
    """Return the log with a test that begins at `now`; kept before the test, so that no kill forgets it."""
    begun = (*(one for one in log.begun if now - DAY < one), now)
    return MlabLog(begun=begun, next_at=now + timedelta(seconds=gap_s(random)))


def with_refusal(log: MlabLog, now: datetime, random: Random, asked_s: float | None = None) -> MlabLog:
    """Return the log after M-Lab had no server to give: back off as it asks, or by its table of means."""
    mean_s = _NO_CAPACITY_MEANS_S[min(log.refused_count, len(_NO_CAPACITY_MEANS_S) - 1)]
    drawn_s = max(random.gauss(mean_s, _NO_CAPACITY_DEVIATION_RATIO * mean_s), 0.5 * mean_s)
    next_at = now + timedelta(seconds=max(drawn_s, min(asked_s or 0.0, DAY.total_seconds())))
    return MlabLog(begun=log.begun, next_at=next_at, refused_count=log.refused_count + 1)


def set_right(log: MlabLog, now: datetime) -> MlabLog:
    """Return the log for a clock that was set back: no wait is longer than the longest, no test lies ahead."""
    next_at = log.next_at
    longest = now + max(timedelta(seconds=LONGEST_GAP_S), DAY if log.refused_count else timedelta())
    if next_at is not None and next_at > longest:
        next_at = longest
    return msgspec.structs.replace(log, begun=tuple(min(one, now) for one in log.begun), next_at=next_at)
