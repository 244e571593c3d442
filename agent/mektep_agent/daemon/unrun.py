"""Readings of runs that gave none: a slot for which the computer was off, a test that was cut short by the agent's end.

No data is not silence: the collector can tell a computer that was off from a line that was down.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import msgspec

from mektep_agent.probes.probe import NO_BOOT, UNNUMBERED_EPOCH, Run
from mektep_agent.schedule.slots import Slot
from mektep_wire import (
    VERSION,
    Clock,
    Direction,
    EngineName,
    Failure,
    FailureKind,
    Outcome,
    ProbeName,
    Reading,
    SkipReason,
    Trigger,
    new_uuid7,
)

_ENGINES = {
    ProbeName.THROUGHPUT: EngineName.NDT7,
    ProbeName.LATENCY: EngineName.UDP_ECHO,
    ProbeName.PATH: EngineName.ICMP,
    ProbeName.PLATFORM: EngineName.HTTP,
}


def machine_off(slots: Sequence[Slot], target: str, clock: Clock, random: Random) -> list[Reading]:
    """Return the skipped readings of slots that are over, at the start that was planned, by this computer's clock."""
    offset = timedelta(seconds=clock.offset_s or 0.0)
    return [
        Reading(
            id=new_uuid7(slot.start, random),
            epoch=UNNUMBERED_EPOCH,
            seq=1,
            probe=ProbeName.THROUGHPUT,
            engine=EngineName.NDT7,
            engine_version=VERSION,
            target=target,
            trigger=Trigger.SLOT,
            started_at=slot.start - offset,
            started_monotonic_s=0.0,
            boot_id=NO_BOOT,
            duration_s=0.0,
            outcome=Outcome.SKIPPED,
            clock=clock,
            direction=direction,
            slot=slot.name,
            skip=SkipReason.MACHINE_OFF,
        )
        for slot in slots
        for direction in Direction
    ]


def interrupted(
    probe: ProbeName, run: Run, target: str, started_at: datetime, started_s: float, ended_s: float, random: Random
) -> list[Reading]:
    """Return the failed readings of a run that the agent's own end cut short."""
    directions: Sequence[Direction | None] = tuple(Direction) if probe is ProbeName.THROUGHPUT else (None,)
    return [
        Reading(
            id=new_uuid7(started_at, random),
            epoch=UNNUMBERED_EPOCH,
            seq=1,
            probe=probe,
            engine=_ENGINES.get(probe, EngineName.HEARTBEAT),
            engine_version=VERSION,
            target=target,
            trigger=run.trigger,
            started_at=started_at,
            started_monotonic_s=started_s,
            boot_id=run.boot_id,
            duration_s=ended_s - started_s,
            outcome=Outcome.FAILED,
            clock=run.clock,
            direction=direction,
            slot=run.slot,
            failure=Failure(kind=FailureKind.INTERRUPTED, detail="the agent was told to end during the test"),
            conditions=run.conditions,
        )
        for direction in directions
    ]


def left_out(
    probe: ProbeName, run: Run, target: str, at: datetime, at_s: float, reason: SkipReason, random: Random
) -> list[Reading]:
    """Return the skipped readings of a run that was due at `at` and was not made, for `reason`."""
    directions: Sequence[Direction | None] = tuple(Direction) if probe is ProbeName.THROUGHPUT else (None,)
    return [
        Reading(
            id=new_uuid7(at, random),
            epoch=UNNUMBERED_EPOCH,
            seq=1,
            probe=probe,
            engine=_ENGINES.get(probe, EngineName.HEARTBEAT),
            engine_version=VERSION,
            target=target,
            trigger=run.trigger,
            started_at=at,
            started_monotonic_s=at_s,
            boot_id=run.boot_id,
            duration_s=0.0,
            outcome=Outcome.SKIPPED,
            clock=run.clock,
            direction=direction,
            slot=run.slot,
            skip=reason,
        )
        for direction in directions
    ]


def slept_through(reading: Reading, slept_s: float) -> Reading:
    """Return `reading` as one that a sleep of the computer spoilt: its values mean nothing."""
    return msgspec.structs.replace(
        reading,
        outcome=Outcome.FAILED,
        values={},
        sample_counts={},
        intervals={},
        skip=None,
        stop_reason=None,
        failure=Failure(kind=FailureKind.INTERRUPTED, detail=f"the computer slept for {slept_s:.0f} s during the test"),
    )
