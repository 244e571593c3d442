"""Which of the month's remaining slots run, so that the cap holds and what it allows is spread evenly. Pure.

The month's tests follow a line from what they have used to what the cap leaves them. At each slot the line moves on by
an equal share of the rest, and the slot runs if the tests are behind the line by some part of one test. That part is
drawn anew for each test, so that a budget for one slot in four does not always run the same hour of the day. The tests
never pass the line by more than one test, and the line never passes the cap.

Errors of any estimate are spread too: the share is computed anew at each slot from what was really used.
"""

import random
from enum import StrEnum

import msgspec

from mektep_wire import Assignment, Direction, ProbeName

_BYTES_PER_S_AND_MBPS = 125_000
_FULL_LENGTH_S = 10.0
_ASSUMED_MBPS = 20.0
_HOUR_S = 3_600.0

LATENCY_BYTES = 4_600
"""One latency reading on the link: a score of small packets each way, with their headers."""
PATH_BYTES = 4_000
"""One look at the path: gateway echoes leave the school's line alone, look-up and connections do not."""
PLATFORM_BYTES = 20_000
"""One page of one learning platform: certificates, headers, a few kB of the page."""
DELIVERY_BYTES = 12_000
"""One delivery: a TLS connection, a signed batch, a receipt."""


class Choice(StrEnum):
    """What to do with something that is due."""

    RUN = "run"
    LEAVE_OUT = "leave_out"


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a slot, and where the line is after it."""

    choice: Choice
    line_bytes: float


class Reserve(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes set aside until the month's end for what is not a throughput test.

    `latency_bytes` is for round trips and deliveries, which stay longest, `path_bytes` for the rest.
    """

    latency_bytes: int
    path_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.latency_bytes + self.path_bytes


def decide(
    *, line_bytes: float, used_bytes: int, end_bytes: int, slots_left_count: int, test_bytes: int, dither: float
) -> Decision:
    """Decide about the slot that is due; all bytes are those of throughput tests in this month.

    `end_bytes` is what they may have used at the month's end, `slots_left_count` counts the slot at hand, `test_bytes`
    is what one test is expected to use, `dither` in (0, 1] is drawn for the next test (`dither_of`).
    """
    slots_left_count, test_bytes = max(1, slots_left_count), max(1, test_bytes)
    held_line = min(max(line_bytes, used_bytes - test_bytes), used_bytes + test_bytes)
    moved_line = held_line + (end_bytes - held_line) / slots_left_count
    is_plenty = end_bytes - used_bytes >= slots_left_count * test_bytes
    is_behind = moved_line - used_bytes >= dither * test_bytes
    choice = Choice.RUN if is_plenty or is_behind else Choice.LEAVE_OUT
    return Decision(choice=choice, line_bytes=moved_line)


def dither_of(device_id: str, name: str) -> float:
    """Return the part in (0, 1] that is drawn under this name: the same whenever it is asked."""
    return 1.0 - random.Random(f"{device_id}/{name}/budget").random()  # noqa: S311 (spreads; keeps no secret)


def expected_test_bytes(recent_test_bytes: tuple[int, ...], assignment: Assignment) -> int:
    """Return what the next test is expected to use: the mean of recent ones, else a full-length test as assigned."""
    if recent_test_bytes:
        return sum(recent_test_bytes) // len(recent_test_bytes)
    download_mbps = assignment.contracted_download_mbps or assignment.norm_mbps or _ASSUMED_MBPS
    upload_mbps = assignment.contracted_upload_mbps or download_mbps
    return int((download_mbps + upload_mbps) * _BYTES_PER_S_AND_MBPS * _FULL_LENGTH_S) * len(Direction) // 2


def reserve_for(assignment: Assignment, school_s: float, measured_bytes_per_school_s: float = 0.0) -> Reserve:
    """Return what is set aside for `school_s` seconds of school that the month still has.

    It is computed from the intervals of the assignment; where more was measured, that counts, as path and the rest.
    """
    latency = school_s * (LATENCY_BYTES / assignment.latency_interval_s + DELIVERY_BYTES / _delivery_s(assignment))
    platforms_count = sum(target.probe is ProbeName.PLATFORM for target in assignment.targets)
    path = school_s * (
        PATH_BYTES / assignment.path_interval_s + platforms_count * PLATFORM_BYTES / assignment.platform_interval_s
    )
    measured = round(school_s * measured_bytes_per_school_s)
    latency_bytes = int(latency)
    return Reserve(latency_bytes=latency_bytes, path_bytes=max(int(path), measured - latency_bytes))


def share_of_ticks(left_bytes: int, reserve: Reserve) -> tuple[float, float]:
    """Return which shares of latency and of path probes run with `left_bytes` of the cap left, latency first."""
    latency_share = _share(left_bytes, reserve.latency_bytes)
    return latency_share, _share(left_bytes - reserve.latency_bytes, reserve.path_bytes)


def _share(left_bytes: int, wanted_bytes: int) -> float:
    if left_bytes <= 0:
        return 0.0
    return min(1.0, left_bytes / wanted_bytes) if wanted_bytes > 0 else 1.0


def _delivery_s(assignment: Assignment) -> float:
    """Return how far deliveries are apart: nothing is sent unless there is a new reading."""
    return max(assignment.send_interval_s, min(assignment.latency_interval_s, _HOUR_S))
