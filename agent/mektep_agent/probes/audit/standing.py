"""How tests stand on this computer's links, for a person: shortened or not, and by how much they missed."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from mektep_agent.probes.audit.memory import LinkRecord
from mektep_agent.statistics.trust import Reliance, typical_error_ratio
from mektep_wire import Direction


class LinkStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One direction: the last audit was at `at`; `error_ratio` is the median size of the latest errors."""

    direction: Direction
    reliance: Reliance
    audits_count: int
    error_ratio: float | None
    at: datetime

    def in_words(self) -> str:
        """Return a line for a person."""
        length = "shortened" if self.reliance is Reliance.SHORTENED else "full length, as short tests missed too much"
        error = "" if self.error_ratio is None else f", error {self.error_ratio:.1%}"
        audits = "1 audit" if self.audits_count == 1 else f"{self.audits_count} audits"
        return f"{self.direction.value}: {length}; {audits}{error}"


def standings(records: Iterable[LinkRecord], target: str, network: str) -> tuple[LinkStanding, ...]:
    """Return how each direction towards a target stands in a network, in the order of directions."""
    found = {
        record.link.direction: record
        for record in records
        if (record.link.target, record.link.network) == (target, network)
    }
    return tuple(
        LinkStanding(
            direction=direction,
            reliance=found[direction].trust.reliance,
            audits_count=found[direction].trust.audits_count,
            error_ratio=typical_error_ratio(found[direction].trust.errors_ratio),
            at=found[direction].at,
        )
        for direction in Direction
        if direction in found
    )
