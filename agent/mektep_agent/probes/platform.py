"""Learning platforms: whether each can be reached from the school, and how long each step to its page takes."""

import asyncio
from collections.abc import Sequence
from random import Random

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError, PageEngine
from mektep_agent.probes.draft import Draft, Result
from mektep_agent.probes.probe import Run
from mektep_agent.sample import PageSample
from mektep_wire import Assignment, Metric, ProbeName, Reading

PLATFORMS_TARGET = "platforms"
"""What stands as target where a run as a whole was cut short or not made."""
DIRECT_METHOD = "page/1"
PROXY_METHOD = "page_by_proxy/1"
"""Behind a proxy the steps are others: its values are never mixed with those of a direct way."""
PAUSE_LOW_S, PAUSE_HIGH_S = 0.5, 2.0


class Platform(msgspec.Struct, frozen=True, kw_only=True):
    """One page to be fetched, and what it must hold, if anything."""

    address: str
    expected_text: str | None = None


def platforms_of(assignment: Assignment) -> tuple[Platform, ...]:
    """Return the platforms that an assignment names, each address once."""
    named: dict[str, Platform] = {}
    for target in assignment.targets:
        if target.probe is ProbeName.PLATFORM:
            named.setdefault(target.address, Platform(address=target.address, expected_text=target.expected_text))
    return tuple(named.values())


class PlatformProbe:
    """Implements `Probe`: a reading for each platform, one after the other, in an order drawn anew each time.

    Between two of them it pauses at random, so that the devices of a country do not knock in step.
    """

    def __init__(
        self,
        engine: PageEngine,
        platforms: Sequence[Platform],
        time: TimeSource,
        random: Random,
        *,
        pause_s: tuple[float, float] = (PAUSE_LOW_S, PAUSE_HIGH_S),
    ) -> None:
        self._engine = engine
        self._platforms = tuple(platforms)
        self._time = time
        self._random = random
        self._pause_s = pause_s

    @property
    def name(self) -> ProbeName:
        """The probe's name on the wire."""
        return ProbeName.PLATFORM

    async def run(self, run: Run) -> Sequence[Reading]:
        """Fetch each page once."""
        readings: list[Reading] = []
        for platform in self._random.sample(self._platforms, len(self._platforms)):
            if readings:
                await asyncio.sleep(self._random.uniform(*self._pause_s))
            readings.append(await self._fetch(run, platform, len(readings) + 1))
        return readings

    async def _fetch(self, run: Run, platform: Platform, seq: int) -> Reading:
        draft = Draft(self._time, self._random, run, ProbeName.PLATFORM, platform.address)
        name, version = self._engine.name, self._engine.version()
        try:
            sample = await self._engine.measure(platform.address, platform.expected_text)
        except EngineError as error:
            return draft.failed(name, version, error, seq)
        return draft.good(name, version, result(sample), seq)


def result(sample: PageSample) -> Result:
    """Return the values of one page; each rests on one observation."""
    measured = {
        Metric.DNS_LOOKUP_MS: sample.dns_lookup_ms,
        Metric.TCP_CONNECT_MS: sample.tcp_connect_ms,
        Metric.TLS_HANDSHAKE_MS: sample.tls_handshake_ms,
        Metric.TTFB_MS: sample.ttfb_ms,
        Metric.SMALL_OBJECT_MS: sample.small_object_ms,
        Metric.REDIRECTS_COUNT: float(sample.redirects_count),
    }
    values = {metric: value for metric, value in measured.items() if value is not None}
    return Result(
        values=values,
        sample_counts=dict.fromkeys(values, 1),
        bytes_sent=sample.bytes_sent,
        bytes_received=sample.bytes_received,
        method=DIRECT_METHOD if sample.by_proxy is None else PROXY_METHOD,
    )
