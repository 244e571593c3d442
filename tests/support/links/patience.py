"""Waiting for something to become true, with an end."""

from collections.abc import Callable
from time import monotonic, sleep

from tests.support.links.error import LaboratoryError

LOOK_S = 0.005


def await_count(count: Callable[[], int], wanted: int, *, timeout_s: float = 10.0) -> None:
    """Wait until `count()` is `wanted` or more; raises LaboratoryError if that does not come in time."""
    deadline_s = monotonic() + timeout_s
    while (now := count()) < wanted:
        if monotonic() > deadline_s:
            raise LaboratoryError(f"waited {timeout_s} s for {wanted}, got no further than {now}")
        sleep(LOOK_S)
