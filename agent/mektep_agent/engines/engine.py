"""The seam between what is measured and how: engines hand over samples, and say why they cannot run.

Errors::

    EngineError          the measurement gave no value; a probe turns it into a failed reading

An engine raises nothing else for trouble of the network, the target or this computer's set-up. A bug propagates.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from mektep_agent.sample import EchoSample, LookupSample, PageSample, Point, ThroughputSample
from mektep_wire import Direction, EngineName, FailureKind, StopReason


class EngineError(Exception):
    """A measurement without a value: the kind for counting, the detail for a person, the bytes it cost the link."""

    def __init__(self, kind: FailureKind, detail: str, *, bytes_sent: int = 0, bytes_received: int = 0) -> None:
        super().__init__(f"{kind.value}: {detail}")
        self.kind = kind
        self.detail = detail
        self.bytes_sent = bytes_sent
        self.bytes_received = bytes_received


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How far one transfer may go. No wait is without a deadline."""

    max_duration_s: float = 10.0
    max_bytes: int | None = None
    connect_timeout_s: float = 7.0
    stall_timeout_s: float = 7.0


class StopRule(Protocol):
    """Decides while a transfer runs whether its points suffice."""

    def decide(self, points: Sequence[Point]) -> StopReason | None:
        """Return why to stop now, or None to go on. Called every 50 to 250 ms with all points so far."""
        ...


class EchoPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How many probes to send, how far apart, and how long to wait for the last answer."""

    probe_count: int = 10
    spacing_s: float = 0.1
    timeout_s: float = 2.0
    payload_bytes: int = 64


class ThroughputEngine(Protocol):
    """Fills the link in one direction and reports what arrived."""

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        ...

    def version(self) -> str:
        """Return the version of the program or code that measures."""
        ...

    def obstacle(self) -> str | None:
        """Return why this engine cannot run on this computer, in words for a person, or None."""
        ...

    async def measure(self, target: str, direction: Direction, limits: Limits, stop: StopRule) -> ThroughputSample:
        """Run one transfer to the end that `limits` or `stop` set; raises EngineError. Leaves nothing open."""
        ...


class EchoEngine(Protocol):
    """Times round trips to a target."""

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        ...

    def version(self) -> str:
        """Return the version of the program or code that measures."""
        ...

    def obstacle(self) -> str | None:
        """Return why this engine cannot run on this computer, in words for a person, or None."""
        ...

    async def measure(self, target: str, plan: EchoPlan) -> EchoSample:
        """Send the plan's probes; raises EngineError where nothing could be sent or nothing at all came back."""
        ...


class LookupEngine(Protocol):
    """Resolves a name as this computer's programs do."""

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        ...

    def version(self) -> str:
        """Return the version of the program or code that measures."""
        ...

    def obstacle(self) -> str | None:
        """Return why this engine cannot run on this computer, in words for a person, or None."""
        ...

    async def measure(self, name: str, timeout_s: float) -> LookupSample:
        """Resolve `name`; raises EngineError with a kind of the DNS family."""
        ...


class PageEngine(Protocol):
    """Fetches one small public page and times its steps."""

    @property
    def name(self) -> EngineName:
        """The engine's name on the wire."""
        ...

    def version(self) -> str:
        """Return the version of the program or code that measures."""
        ...

    def obstacle(self) -> str | None:
        """Return why this engine cannot run on this computer, in words for a person, or None."""
        ...

    async def measure(self, target: str, expected_text: str | None) -> PageSample:
        """Fetch the page at `target`, which must hold `expected_text` if that is given; raises EngineError."""
        ...
