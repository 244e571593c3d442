"""Running errands: one measurement at a time, its readings kept together with the mark that says it was done."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from random import Random

import msgspec

from mektep_agent.daemon.attended import attended
from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.daemon.looks import RttLook
from mektep_agent.daemon.unrun import interrupted, left_out, machine_off
from mektep_agent.link.counters import Crossed
from mektep_agent.link.one_test import OtherTestError
from mektep_agent.outbox.parcel import OutboxFullError
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.politeness.quiet import Busy
from mektep_agent.probes.cause.witness import Witness
from mektep_agent.probes.outage.heart import Heart
from mektep_agent.probes.probe import Probe, Run
from mektep_agent.schedule.agenda import Errand
from mektep_agent.schedule.slots import Slot
from mektep_wire import Conditions, ProbeName, Reading, SkipReason

_LOG = logging.getLogger(__name__)


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to measure with: probes and targets, looks before a test, the heartbeat, and who explains."""

    probes: Mapping[ProbeName, Probe]
    targets: Mapping[ProbeName, str]
    looks: Mapping[Busy, RttLook] = {}
    heart: Heart | None = None
    witness: Witness | None = None


class Measuring:
    """Runs probes and keeps what they say."""

    def __init__(
        self,
        outbox: ThreadedOutbox,
        time: KnownTime,
        conditions: Callable[[], Conditions],
        random: Random,
        on_kept: Callable[[Sequence[Reading]], None],
        crossed: Callable[[], Crossed | None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._time = time
        self._conditions = conditions
        self._random = random
        self._on_kept = on_kept
        # One at a time, whatever it is: a transfer of ours would spoil the round trips that we time beside it.
        self.line = asyncio.Lock()
        self._crossed = crossed
        self.kit = Kit(probes={}, targets={})

    async def run(self, errand: Errand, deferral_count: int = 0, max_bytes: int | None = None) -> Sequence[Reading]:
        """Run one errand, put off so often before, and return its readings as kept; a bug of the probe propagates.

        Cancelled in mid-test, it keeps the run as interrupted before it ends.
        """
        async with self.line:
            probe = self.kit.probes.get(errand.probe)
            if probe is None:  # the assignment changed since it was planned
                return ()
            source = self._time.source
            run = Run(
                trigger=errand.trigger,
                boot_id=self._time.boot_id,
                slot=errand.slot,
                clock=self._time.clock(),
                conditions=msgspec.structs.replace(self._conditions(), deferral_count=deferral_count),
                max_bytes=max_bytes,
            )
            started_at, started_s = source.now(), source.monotonic_s()
            marks = [errand.mark] if errand.mark else []
            try:
                target = self.kit.targets.get(errand.probe, "")
                readings = await attended(probe, run, target, source, self._crossed, self.kit.witness)
            except OtherTestError as error:
                _LOG.warning("test_left_out", extra={"slot": errand.slot, "detail": str(error)})
                return await self.leave_out(errand, SkipReason.OTHER_PROBER)
            except asyncio.CancelledError:
                target = self.kit.targets.get(errand.probe, "")
                cut = interrupted(errand.probe, run, target, started_at, started_s, source.monotonic_s(), self._random)
                await self._keep(cut, marks)
                raise
            return await self._keep(readings, marks)

    async def leave_out(self, errand: Errand, reason: SkipReason) -> Sequence[Reading]:
        """Keep `errand` as one that was due and not run, with its mark; return its readings as kept."""
        run = Run(trigger=errand.trigger, boot_id=self._time.boot_id, slot=errand.slot, clock=self._time.clock())
        source, target = self._time.source, self.kit.targets.get(errand.probe, "")
        readings = left_out(errand.probe, run, target, source.now(), source.monotonic_s(), reason, self._random)
        return await self._keep(readings, [errand.mark] if errand.mark else [])

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
