"""From an outage that is over to its reading."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from mektep_agent.probes.outage.course import Finished
from mektep_agent.probes.outage.moment import Moment, elapsed_s, true_time
from mektep_agent.probes.probe import NO_BOOT, UNNUMBERED_EPOCH
from mektep_wire import (
    METRICS,
    VERSION,
    Clock,
    EngineName,
    Metric,
    Outage,
    Outcome,
    ProbeName,
    Reading,
    Trigger,
    new_uuid7,
)

_LONGEST_S = METRICS[Metric.OUTAGE_DURATION_S].high


def can_be_told(one: Finished, known: Moment) -> bool:
    """Tell whether the outage's time is known: within this boot always, else once the clock was compared."""
    return one.begin.boot_id == one.end.boot_id == known.boot_id or known.offset_s is not None


def reading_of(
    one: Finished,
    known: Moment,
    clock: Clock,
    target: str,
    random: Random,
    school_s: Callable[[datetime, datetime], float],
) -> Reading:
    """Return the reading of an outage, in the clocks of `known`, the moment at which it is written.

    `school_s` tells how much of a span of true time is school. Within one boot the monotonic clock gives begin and
    duration. Over several, the begin is stated in the wall clock of now, and no monotonic clock is claimed. Where the
    clocks of two boots contradict each other the duration is 0, and the begin as uncertain as they are apart.
    """
    duration_s = elapsed_s(one.begin, one.end, known)
    begin = true_time(one.begin, known) - timedelta(seconds=known.offset_s or 0.0)
    uncertainty_s = one.begin_uncertainty_s
    if duration_s < 0:
        uncertainty_s, duration_s = max(uncertainty_s, -duration_s), 0.0
        begin = true_time(one.end, known) - timedelta(seconds=known.offset_s or 0.0)
    is_this_boot = one.begin.boot_id == known.boot_id
    duration_s = min(duration_s, _LONGEST_S)
    true_begin = begin + timedelta(seconds=known.offset_s or 0.0)
    return Reading(
        id=new_uuid7(begin, random),
        epoch=UNNUMBERED_EPOCH,
        seq=1,
        probe=ProbeName.OUTAGE,
        engine=EngineName.HEARTBEAT,
        engine_version=VERSION,
        target=target[:300],
        trigger=Trigger.EVENT,
        started_at=begin,
        started_monotonic_s=one.begin.monotonic_s if is_this_boot else 0.0,
        boot_id=one.begin.boot_id if is_this_boot else NO_BOOT,
        duration_s=duration_s,
        outcome=Outcome.OK,
        clock=clock,
        values={Metric.OUTAGE_DURATION_S: duration_s},
        outage=Outage(
            cause=one.cause,
            school_s=min(duration_s, school_s(true_begin, true_begin + timedelta(seconds=duration_s))),
            begin_uncertainty_s=min(uncertainty_s, _LONGEST_S),
            end_uncertainty_s=min(one.end_uncertainty_s, _LONGEST_S),
            returns_count=min(one.returns_count, 1_000_000),
            boots_count=min(one.boots_count, 1_000_000),
        ),
    )
