"""From an errand to its readings: the budget says whether it runs, courtesy when, and what it cost is counted."""

import logging
from collections.abc import Sequence

import msgspec

from mektep_agent.budget.plan import Choice
from mektep_agent.daemon.courtesy import Baselines, Courtesy
from mektep_agent.daemon.measuring import Measuring
from mektep_agent.daemon.thrift import Thrift
from mektep_agent.link.one_test import is_this_computer
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.schedule.agenda import Errand
from mektep_wire import LeaseEnd, Outcome, ProbeName, Reading, SkipReason

_LOG = logging.getLogger(__name__)
BASELINE_NOTE = "rtt_baseline"


class Errands:
    """Runs errands that are due, politely and within the budget."""

    def __init__(self, measuring: Measuring, thrift: Thrift, courtesy: Courtesy, outbox: ThreadedOutbox) -> None:
        self._measuring = measuring
        self._thrift = thrift
        self._courtesy = courtesy
        self._outbox = outbox

    async def recall(self) -> None:
        """Take up the round trips that an earlier run saw; what does not read is begun anew."""
        note = await self._outbox.note(BASELINE_NOTE)
        if note is not None:
            try:
                self._courtesy.baselines = msgspec.json.decode(note, type=Baselines)
            except msgspec.DecodeError as error:
                _LOG.warning("rtt_baseline_lost", extra={"detail": str(error)})

    async def run(self, errand: Errand) -> Sequence[Reading]:
        """Run one errand as soon as the line is quiet, or leave it out and say why; a bug of the probe propagates."""
        if self._thrift.choose(errand) is Choice.LEAVE_OUT:
            return await self._measuring.leave_out(errand, SkipReason.DATA_BUDGET)
        target = self._measuring.kit.targets.get(errand.probe, "")
        if errand.probe is not ProbeName.THROUGHPUT or errand.latest_at is None or is_this_computer(target):
            return await self.run_now(errand)
        async with self._courtesy.permission(errand) as permission:
            if permission.skip is not None:
                return await self._measuring.leave_out(errand, permission.skip)
            readings = await self.run_now(errand, permission.deferral_count)
            if any(reading.outcome is Outcome.OK for reading in readings):
                permission.end = LeaseEnd.MEASURED
            return readings

    async def run_now(self, errand: Errand, deferral_count: int = 0) -> Sequence[Reading]:
        """Run one errand at once, whoever uses the line, and count what it cost."""
        if errand.probe is not ProbeName.THROUGHPUT:
            readings = await self._measuring.run(errand)
            self._thrift.count(readings)
            if self._courtesy.learn(readings):
                await self._outbox.keep_note(BASELINE_NOTE, msgspec.json.encode(self._courtesy.baselines))
            return readings
        room_bytes = self._thrift.room_bytes(errand)
        self._thrift.begin_test(errand)
        readings = await self._measuring.run(errand, deferral_count, room_bytes)
        self._thrift.end_test(readings)
        return readings
