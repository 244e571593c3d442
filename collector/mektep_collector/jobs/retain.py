"""Lets go of what need not be kept any longer: readings in the store, and signed batches in the journal."""

import logging
from datetime import datetime
from typing import Protocol

from mektep_collector.config.retention import Retention

_LOG = logging.getLogger(__name__)


class Prunes(Protocol):
    """What the job needs of the journal."""

    def prune(self, before: datetime, up_to_position: int) -> int:
        """Delete the oldest entries received before `before` that lie no further; return how many."""
        ...


class ThinsOut(Protocol):
    """What the job needs of a store."""

    def position(self) -> int:
        """Return the position up to which it has taken in, 0 for none."""
        ...

    def thin_out(self, now: datetime) -> None:
        """Let go of what need not be kept any longer at the aware time `now`; blocks until it is done."""
        ...


def retain(journal: Prunes, store: ThinsOut, retention: Retention, now: datetime) -> None:
    """Do what retention says. What the store has not taken in stays in the journal, however old it is.

    Raises what journal and store raise; what is left waits for the next round.
    """
    store.thin_out(now)
    before = retention.evidence_since(now)
    if before is None:
        return
    pruned_count = journal.prune(before, store.position())
    if pruned_count:
        _LOG.info("journal_pruned", extra={"entries": pruned_count, "before": before.isoformat()})
