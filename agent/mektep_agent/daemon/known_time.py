"""True time as well as it is known: the wall clock until it was compared, then the collector's carried on."""

from datetime import datetime

from mektep_agent.clock import TimeSource
from mektep_agent.uplink.clock_comparison import ClockComparison, clock_state, true_now
from mektep_wire import Clock


class KnownTime:
    """The agent's idea of the time. Comparisons of another boot are not believed."""

    def __init__(self, time: TimeSource, boot_id: str) -> None:
        self.source = time
        self.boot_id = boot_id
        self.comparison: ClockComparison | None = None

    def learn(self, comparison: ClockComparison | None) -> float:
        """Take a newer comparison in; return by how many seconds the known time steps."""
        if comparison is None or comparison.boot_id != self.boot_id:
            return 0.0
        before = self.now()
        self.comparison = comparison
        return (self.now() - before).total_seconds()

    @property
    def is_compared(self) -> bool:
        """Whether the collector's clock was seen in this boot."""
        return self.comparison is not None

    def now(self) -> datetime:
        """Return true time as well as it is known."""
        return true_now(self.comparison, self.source)

    def clock(self) -> Clock:
        """Return what is known of the wall clock, in the wire's form."""
        return clock_state(self.comparison, self.source)
