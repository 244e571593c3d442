"""One run and no more: measure at once, deliver, and say how it went. For a demonstration and for a technician."""

import asyncio
import logging
from collections.abc import Sequence

from mektep_agent.daemon.conduct import Daemon
from mektep_agent.daemon.exit_code import ExitCode
from mektep_agent.schedule.agenda import Errand
from mektep_agent.uplink.rest import RestReason
from mektep_wire import Outcome, ProbeName, Reading, Trigger

_LOG = logging.getLogger(__name__)
_ORDER = (ProbeName.PATH, ProbeName.LATENCY, ProbeName.THROUGHPUT)
_DELIVERY_TIMEOUT_S = 60.0
_LONGEST_PAUSE_S = 5.0


async def measure_and_deliver(daemon: Daemon) -> tuple[Sequence[Reading], ExitCode]:
    """Return the readings as kept, and: good, failed (not measured), degraded (a test failed) or out of reach."""
    await daemon.recall()
    await daemon.replan()
    if daemon.delivering.assignment is None:
        await _deliver(daemon)
        await daemon.replan()
    readings: list[Reading] = []
    for probe in _ORDER:
        readings += await daemon.errands.run_now(Errand(probe=probe, trigger=Trigger.STARTUP))
    if not readings:
        return readings, ExitCode.FAILED
    if not await _deliver(daemon):
        return readings, ExitCode.OUT_OF_REACH
    is_measured = all(reading.outcome is Outcome.OK for reading in readings if reading.probe is ProbeName.THROUGHPUT)
    return readings, ExitCode.GOOD if is_measured else ExitCode.DEGRADED


async def _deliver(daemon: Daemon) -> bool:
    """Send until nothing waits or time is up; say whether all was sent."""
    try:
        async with asyncio.timeout(_DELIVERY_TIMEOUT_S):
            while True:
                rest = await daemon.delivering.deliver_once()
                if rest.reason in {RestReason.DELIVERED, RestReason.NOTHING_WAITS}:
                    return True
                if rest.reason in {RestReason.BARRED, RestReason.REVOKED}:
                    return False
                await asyncio.sleep(min(rest.wait_s, _LONGEST_PAUSE_S))
    except TimeoutError:
        _LOG.warning("not_delivered", extra={"detail": f"not within {_DELIVERY_TIMEOUT_S:g} s; the readings are kept"})
        return False
