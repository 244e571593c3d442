"""How a throughput test runs and what its transfer says: when to stop, and which figures are stated."""

from typing import Protocol

import msgspec

from mektep_agent.engines.engine import StopRule
from mektep_agent.probes.probe import Run
from mektep_agent.sample import ThroughputSample
from mektep_agent.statistics.throughput import FullLength, Throughput, mean_throughput_mbps
from mektep_wire import Direction, Trigger


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What is stated of a transfer; `full_length` is given beside a shortened figure of the same transfer: an audit."""

    stated: Throughput
    full_length: Throughput | None = None


class Transfer(Protocol):
    """One transfer: planned when it is handed out, settled once by the sample that it gave."""

    @property
    def trigger(self) -> Trigger:
        """What the reading is to bear as its trigger."""
        ...

    @property
    def stop(self) -> StopRule:
        """The rule that the engine asks while the transfer runs."""
        ...

    def settle(self, sample: ThroughputSample) -> Figures:
        """Return the figures of the sample, and learn from it, in a thread; raises ValueError without bytes or time."""
        ...


class Manner(Protocol):
    """Plans the transfers of one target."""

    def plan(self, run: Run, direction: Direction) -> Transfer:
        """Return the transfer of one direction of a run."""
        ...


class WholeTransfer:
    """A transfer that runs to its limits and states one figure."""

    stop = FullLength()

    def __init__(self, trigger: Trigger) -> None:
        self.trigger = trigger

    def settle(self, sample: ThroughputSample) -> Figures:
        """Return the figure by the full-length method."""
        return Figures(stated=mean_throughput_mbps(sample))


class AlwaysFullLength:
    """Implements `Manner`: no test is shortened, so there is nothing to audit."""

    def plan(self, run: Run, direction: Direction) -> Transfer:
        """Return a transfer to the limits."""
        return WholeTransfer(run.trigger)
