"""A probe that runs attended: alone on this computer, with an eye on sleep and on what else crosses the line."""

from collections.abc import Callable, Sequence

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.daemon.unrun import slept_through
from mektep_agent.daemon.wakeful import Wakeful, wakeful
from mektep_agent.link.counters import Crossed
from mektep_agent.link.one_test import only_test
from mektep_agent.probes.cause.witness import Witness
from mektep_agent.probes.probe import Probe, Run
from mektep_wire import ProbeName, Reading


async def attended(
    probe: Probe,
    run: Run,
    target: str,
    time: TimeSource,
    crossed: Callable[[], Crossed | None],
    witness: Witness | None = None,
) -> Sequence[Reading]:
    """Run `probe` and return its readings, spoilt ones as failed, tests with the traffic beside them.

    With a `witness`, those that are slow or failed carry their diagnosis.

    Raises OtherTestError where another throughput test has this computer's line and does not give it up.
    """
    if probe.name is not ProbeName.THROUGHPUT:
        return await _witnessed(probe, run, time, crossed, witness)
    async with only_test(target):
        return await _witnessed(probe, run, time, crossed, witness)


async def _witnessed(
    probe: Probe, run: Run, time: TimeSource, crossed: Callable[[], Crossed | None], witness: Witness | None
) -> Sequence[Reading]:
    if witness is None:
        return await _watched(probe, run, time, crossed)
    async with witness.lookout.beside(probe.name) as beside:
        readings = await _watched(probe, run, time, crossed)
    return await witness.explain(readings, beside)


async def _watched(
    probe: Probe, run: Run, time: TimeSource, crossed: Callable[[], Crossed | None]
) -> Sequence[Reading]:
    async with wakeful(time, crossed) as seen:
        readings = await probe.run(run)
    return [_as_seen(reading, seen) for reading in readings]


def _as_seen(reading: Reading, seen: Wakeful) -> Reading:
    if seen.slept_s:
        return slept_through(reading, seen.slept_s)
    if reading.probe is not ProbeName.THROUGHPUT:
        return reading
    cross_traffic_mbps = seen.cross_traffic_mbps(reading)
    if cross_traffic_mbps is None:
        return reading
    conditions = msgspec.structs.replace(reading.conditions, cross_traffic_mbps=cross_traffic_mbps)
    return msgspec.structs.replace(reading, conditions=conditions)
