"""Running errands: one measurement at a time, its readings kept together with the mark that says it was done."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from random import Random

import msgspec

from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.unrun import interrupted, machine_off, slept_through
from mektep_agent.outbox.parcel import OutboxFullError
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.probes.probe import Probe, Run
from mektep_agent.schedule.agenda import Errand
from mektep_agent.schedule.slots import Slot
from mektep_wire import Conditions, ProbeName, Reading

_LOG = logging.getLogger(__name__)
_SLEPT_S = 5.0


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to measure with: the probes of an assignment, and what each measures to."""

    probes: Mapping[ProbeName, Probe]
    targets: Mapping[ProbeName, str]


class Measuring:
    """Runs probes and keeps what they say."""

    def __init__(
        self,
        outbox: ThreadedOutbox,
        time: KnownTime,
        conditions: Callable[[], Conditions],
        random: Random,
        on_kept: Callable[[Sequence[Reading]], None],
    ) -> None:
        self._outbox = outbox
        self._time = time
        self._conditions = conditions
        self._random = random
        self._on_kept = on_kept
        # One at a time, whatever it is: a transfer of ours would spoil the round trips that we time beside it.
        self._link = asyncio.Lock()
        self.kit = Kit(probes={}, targets={})

    async def run(self, errand: Errand) -> Sequence[Reading]:
        """Run one errand and return its readings as kept; a bug of the probe propagates.

        Cancelled in mid-test, it keeps the run as interrupted before it ends.
        """
        async with self._link:
            probe = self.kit.probes.get(errand.probe)
            if probe is None:  # the assignment changed since it was planned
                return ()
            source = self._time.source
            run = Run(
                trigger=errand.trigger,
                boot_id=self._time.boot_id,
                slot=errand.slot,
                clock=self._time.clock(),
                conditions=self._conditions(),
            )
            started_at, started_s = source.now(), source.monotonic_s()
            awake_from_s = asyncio.get_running_loop().time()
            marks = [errand.mark] if errand.mark else []
            try:
                readings = await probe.run(run)
            except asyncio.CancelledError:
                target = self.kit.targets.get(errand.probe, "")
                cut = interrupted(errand.probe, run, target, started_at, started_s, source.monotonic_s(), self._random)
                await self._keep(cut, marks)
                raise
            slept_s = source.monotonic_s() - started_s - (asyncio.get_running_loop().time() - awake_from_s)
            if slept_s > _SLEPT_S:
                readings = [slept_through(reading, slept_s) for reading in readings]
            return await self._keep(readings, marks)

    async def record_missed(self, slots: Sequence[Slot]) -> None:
        """Keep the slots for which the computer was off."""
        target = self.kit.targets.get(ProbeName.THROUGHPUT, "")
        readings = machine_off(slots, target, self._time.clock(), self._random)
        await self._keep(readings, [slot.name for slot in slots])

    async def _keep(self, readings: Sequence[Reading], marks: Sequence[str]) -> Sequence[Reading]:
        try:
            kept = await self._outbox.put(readings, marks)
        except OutboxFullError as error:
            _LOG.error("readings_dropped", extra={"readings_count": len(readings), "detail": str(error)})
            return ()
        for reading in kept:
            _LOG.info("measurement_finished", extra=_summary(reading))
        self._on_kept(kept)
        return kept


def _summary(reading: Reading) -> dict[str, object]:
    return {
        "probe": reading.probe.value,
        "engine": reading.engine.value,
        "direction": reading.direction and reading.direction.value,
        "trigger": reading.trigger.value,
        "slot": reading.slot,
        "outcome": reading.outcome.value,
        "failure": reading.failure and reading.failure.kind.value,
        "failure_detail": reading.failure and reading.failure.detail,
        "skip": reading.skip and reading.skip.value,
        "epoch": reading.epoch,
        "seq": reading.seq,
        "duration_s": round(reading.duration_s, 3),
    }
