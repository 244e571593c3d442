"""Waiting for a quiet line: while others use it a test is put off, up to the end of its slot, then run and tagged."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

import msgspec

from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.looks import RttLook
from mektep_agent.link.counters import Crossed
from mektep_agent.politeness.cross_traffic import Moment, between
from mektep_agent.politeness.deferral import wait_s
from mektep_agent.politeness.quiet import LOOK_S, Busy, Look, Thresholds, busy_by
from mektep_agent.politeness.rtt_baseline import RttBaseline
from mektep_agent.schedule.agenda import Errand
from mektep_agent.uplink.leases import Leases, Turn
from mektep_wire import LeaseEnd, Metric, Outcome, Reading, SkipReason

_LOG = logging.getLogger(__name__)
_BASELINES = {Metric.GATEWAY_RTT_MS: Busy.GATEWAY_RTT, Metric.IDLE_RTT_MS: Busy.ECHO_RTT}
_OTHER_TEST_JITTER_S = 10.0
_LOOK_TIMEOUT_S = 10.0
_OVER_S = 120.0


class Baselines(msgspec.Struct, frozen=True):
    """The idle round trips by what a longer one would show; kept over restarts."""

    by_busy: dict[Busy, RttBaseline] = {}


@dataclass
class Permission:
    """Whether to measure now: not where `skip` says why. `end` is what the other devices of the school are told."""

    deferral_count: int = 0
    skip: SkipReason | None = None
    end: LeaseEnd = LeaseEnd.NOT_MEASURED


class Courtesy:
    """Finds the moment for a test. `line` is held by whoever measures; `own_bytes` counts all that we moved."""

    def __init__(
        self,
        time: KnownTime,
        random: Random,
        line: asyncio.Lock,
        crossed: Callable[[], Crossed | None],
        leases: Leases,
        own_bytes: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._time = time
        self._random = random
        self._line = line
        self._crossed = crossed
        self._leases = leases
        self._own_bytes = own_bytes
        self._sleep = sleep
        self.looks: Mapping[Busy, RttLook] = {}
        self.thresholds = Thresholds()
        self.baselines = Baselines()

    def learn(self, readings: Sequence[Reading]) -> bool:
        """Take round trips of good readings into the baselines; say whether there were any."""
        by_busy = dict(self.baselines.by_busy)
        for reading in readings:
            for metric, busy in _BASELINES.items():
                if reading.outcome is Outcome.OK and metric in reading.values:
                    baseline = by_busy.get(busy, RttBaseline())
                    by_busy[busy] = baseline.with_one(self._time.now(), reading.values[metric])
        has_learnt = by_busy != self.baselines.by_busy
        self.baselines = Baselines(by_busy)
        return has_learnt

    @asynccontextmanager
    async def permission(self, errand: Errand) -> AsyncGenerator[Permission]:
        """Wait for the moment to run `errand`, and hold the school's line for the block."""
        permission = Permission()
        begun_s = self._time.source.monotonic_s()
        while True:
            if self._is_over(errand):
                permission.skip = SkipReason.MACHINE_OFF  # it slept while it waited
                yield permission
                return
            busy = await self._look()
            if not busy or self._left_s(errand) <= 0:
                async with self._leases() as turn:
                    is_last = self._left_s(errand) <= 0
                    if turn.taken_for_s is None or is_last:
                        if turn.taken_for_s is not None and self._has_other_measured(turn, begun_s):
                            permission.skip = SkipReason.OTHER_PROBER
                        yield permission
                        turn.end = permission.end
                        return
                waiting_s = turn.taken_for_s + self._random.uniform(0.0, _OTHER_TEST_JITTER_S)
            else:
                waiting_s = wait_s(permission.deferral_count, self._left_s(errand), self._random)
            permission.deferral_count += 1
            waiting_s = max(0.0, min(waiting_s, self._left_s(errand)))
            reasons = [one.value for one in busy] or [SkipReason.OTHER_PROBER.value]
            _LOG.info(
                "test_put_off",
                extra={"slot": errand.slot, "busy_by": reasons, "wait_s": round(waiting_s, 1)},
            )
            await self._sleep(waiting_s)

    async def _look(self) -> tuple[Busy, ...]:
        """Look for ten seconds, with nothing of ours on the line but a few small packets."""
        async with self._line:
            first, own_first = self._moment(), self._own_bytes()
            inflated = {busy: await self._is_inflated(busy, look) for busy, look in self.looks.items()}
            looked_s = 0.0 if first is None else self._time.source.monotonic_s() - first.at_s
            await self._sleep(max(0.0, LOOK_S - looked_s))
            last, own_bytes = self._moment(), self._own_bytes() - own_first
        rates = None if first is None or last is None else between(first, last, max(0, own_bytes))
        look = Look(
            rates=rates,
            is_gateway_inflated=inflated.get(Busy.GATEWAY_RTT),
            is_echo_inflated=inflated.get(Busy.ECHO_RTT),
        )
        return busy_by(look, self.thresholds)

    async def _is_inflated(self, busy: Busy, look: RttLook) -> bool | None:
        baseline = self.baselines.by_busy.get(busy)
        if baseline is None or baseline.idle_ms is None:
            return None
        try:
            async with asyncio.timeout(_LOOK_TIMEOUT_S):
                rtt_ms = await look()
        except TimeoutError:
            return None
        return None if rtt_ms is None else baseline.is_inflated(rtt_ms)

    def _moment(self) -> Moment | None:
        crossed = self._crossed()
        return None if crossed is None else Moment(at_s=self._time.source.monotonic_s(), crossed=crossed)

    def _has_other_measured(self, turn: Turn, begun_s: float) -> bool:
        waited_s = self._time.source.monotonic_s() - begun_s
        return turn.measured_before_s is not None and turn.measured_before_s <= waited_s

    def _left_s(self, errand: Errand) -> float:
        if errand.latest_at is None:
            return 0.0
        return (errand.latest_at - self._time.now()).total_seconds()

    def _is_over(self, errand: Errand) -> bool:
        return errand.latest_at is not None and self._left_s(errand) < -_OVER_S
