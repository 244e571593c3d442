"""The seam between schedule and measuring: a probe owns the shape of its result and never raises for the network."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from mektep_wire import Clock, Conditions, ProbeName, Reading, Trigger

UNNUMBERED_EPOCH = "00000000-0000-0000-0000-000000000000"
"""Epoch of a reading that no outbox has kept yet; `Outbox.put` gives it its epoch and seq."""
NO_BOOT = "00000000-0000-0000-0000-000000000000"
"""Boot of a reading of a time when no system ran: its time is told by the wall clock and its offset alone."""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Why and in what surroundings a probe runs; `max_bytes` is what its transfers together may use, None for any."""

    trigger: Trigger
    boot_id: str
    slot: str | None = None
    clock: Clock = Clock()
    conditions: Conditions = Conditions()
    max_bytes: int | None = None


class Probe(Protocol):
    """Measures one thing and states it as readings."""

    @property
    def name(self) -> ProbeName:
        """The probe's name on the wire."""
        ...

    async def run(self, run: Run) -> Sequence[Reading]:
        """Measure once. Trouble of the network is in the readings as failures; only a bug raises.

        The readings bear `UNNUMBERED_EPOCH` and count from 1; who keeps them numbers them.
        """
        ...
