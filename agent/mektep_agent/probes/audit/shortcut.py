"""The seam between a method that shortens tests and the audits that hold it to its promise."""

from typing import Protocol

from mektep_agent.engines.engine import StopRule
from mektep_agent.sample import ThroughputSample
from mektep_agent.statistics.throughput import Throughput


class Shortening(Protocol):
    """A shortening method with what it has learnt of one link so far."""

    @property
    def stop(self) -> StopRule:
        """The rule that stops a transfer early. Asked in the engine's thread, and again for a replay."""
        ...

    def throughput(self, sample: ThroughputSample) -> Throughput:
        """Return what the method says of a transfer that its rule ended; raises ValueError as statistics do."""
        ...

    def full_length(self, sample: ThroughputSample) -> Throughput:
        """Return the yardstick: what a transfer of full length says; raises ValueError as statistics do."""
        ...

    def learnt_from(self, sample: ThroughputSample) -> bytes:
        """Return what is known after a transfer of full length, for `Shortcut.recall`: JSON."""
        ...


class Shortcut(Protocol):
    """A method that shortens tests."""

    @property
    def method(self) -> str:
        """Name and version as in a reading: what was learnt and judged under one is nothing to another."""
        ...

    def recall(self, learnt: bytes | None) -> Shortening:
        """Return the method with what was learnt; with nothing where that is None or does not read."""
        ...
