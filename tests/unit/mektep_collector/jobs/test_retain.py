from datetime import datetime, timedelta

from mektep_collector.config.retention import Retention
from mektep_collector.jobs.retain import retain
from tests.support.school_device import NOON


class Kept:
    """A journal and its store, which has taken in 7 entries; both note what they are asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def position(self) -> int:
        return 7

    def thin_out(self, now: datetime) -> None:
        self.asked.append(now)

    def prune(self, before: datetime, up_to_position: int) -> int:
        self.asked.append((before, up_to_position))
        return 1


def test_batches_go_as_far_as_the_store_has_them() -> None:
    kept = Kept()
    retain(kept, kept, Retention(evidence_days=92), NOON)
    assert kept.asked == [NOON, (NOON - timedelta(days=92), 7)]


def test_batches_that_are_kept_for_ever_are_not_looked_at() -> None:
    kept = Kept()
    retain(kept, kept, Retention(), NOON)
    assert kept.asked == [NOON]
