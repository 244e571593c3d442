"""Engines that give what a test scripts: in-memory fakes of our own protocols."""

from collections.abc import Sequence

from mektep_agent.engines.engine import EchoPlan, EngineError, Limits, StopRule
from mektep_agent.sample import EchoSample, LookupSample, Point, ThroughputSample
from mektep_wire import Direction, EngineName, StopReason


def steady(direction: Direction, rate_mbps: float, duration_s: float = 10.0) -> ThroughputSample:
    """Return a transfer that ran at one rate from beginning to end, with a point each 100 ms."""
    bytes_per_s = rate_mbps * 1e6 / 8
    points = tuple(Point(step / 10, round(bytes_per_s * step / 10)) for step in range(round(duration_s * 10) + 1))
    total = points[-1].total_bytes
    is_download = direction is Direction.DOWNLOAD
    return ThroughputSample(
        direction=direction,
        points=points,
        duration_s=duration_s,
        bytes_sent=0 if is_download else total,
        bytes_received=total if is_download else 0,
        stop_reason=StopReason.FULL_LENGTH,
    )


class ScriptedThroughput:
    """Gives each direction its scripted sample or error."""

    name = EngineName.NDT7

    def __init__(
        self,
        script: dict[Direction, ThroughputSample | EngineError],
        missing: str | None = None,
    ) -> None:
        self._script = script
        self._missing = missing
        self.asked_limits: list[Limits] = []

    def version(self) -> str:
        return "1.0"

    def obstacle(self) -> str | None:
        return self._missing

    async def measure(self, target: str, direction: Direction, limits: Limits, stop: StopRule) -> ThroughputSample:
        self.asked_limits.append(limits)
        found = self._script[direction]
        if isinstance(found, EngineError):
            raise found
        return found


class ScriptedEcho:
    """Gives the scripted round trips, or raises; remembers which targets were asked."""

    def __init__(
        self, name: EngineName, script: Sequence[float | None] | EngineError, missing: str | None = None
    ) -> None:
        self.name = name
        self.asked: list[str] = []
        self._script = script
        self._missing = missing

    def version(self) -> str:
        return "1.0"

    def obstacle(self) -> str | None:
        return self._missing

    async def measure(self, target: str, plan: EchoPlan) -> EchoSample:
        self.asked.append(target)
        if isinstance(self._script, EngineError):
            raise self._script
        return EchoSample(rtts_ms=tuple(self._script), duration_s=1.0, bytes_sent=640, bytes_received=576)


class ScriptedLookup:
    """Gives the scripted addresses, or raises."""

    name = EngineName.DNS

    def __init__(self, script: tuple[str, ...] | EngineError) -> None:
        self._script = script

    def version(self) -> str:
        return "1.0"

    def obstacle(self) -> str | None:
        return None

    async def measure(self, name: str, timeout_s: float) -> LookupSample:
        if isinstance(self._script, EngineError):
            raise self._script
        return LookupSample(lookup_ms=12.5, addresses=self._script)
