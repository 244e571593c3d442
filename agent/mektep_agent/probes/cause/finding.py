"""What a verdict is made from: one run's result, and all that was looked at around it."""

import msgspec

from mektep_wire import Access, Conditions, Evidence, FailureKind


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A failed run (`failure`) or a slow one (`value_mbps` below what `evidence` says was expected).

    `retransmission_ratio` is what TCP sent again.
    """

    evidence: Evidence
    conditions: Conditions = Conditions()
    failure: FailureKind | None = None
    value_mbps: float | None = None
    retransmission_ratio: float | None = None

    @property
    def is_by_radio(self) -> bool:
        """Whether this computer reaches the school's network by Wi-Fi."""
        return self.conditions.access is Access.WIFI
