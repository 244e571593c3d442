"""Runs in the school's host of a laboratory: one full-length test and several frugal ones, one way after the other.

Prints JSON. On a burst link the frugal method is taught by audits first, as a device teaches itself.
"""

import argparse
import asyncio
import resource
import sys

import msgspec

from mektep_agent.engines.engine import EngineError, Limits, StopRule
from mektep_agent.engines.ndt7 import Ndt7Engine
from mektep_agent.sample import ThroughputSample
from mektep_agent.statistics.frugal import FrugalStop, frugal_throughput
from mektep_agent.statistics.link_knowledge import LinkKnowledge, learn
from mektep_agent.statistics.throughput import FullLength, mean_throughput_mbps
from mektep_wire import Direction, StopReason

PAUSE_S = 0.5
REFILL_S = 8.0
"""A token bucket fills up again while nobody sends; a school's next test is hours later."""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """What one test said and what it cost the link."""

    value_mbps: float
    low_mbps: float
    high_mbps: float
    ndt7_mbps: float
    link_bytes: int
    duration_s: float
    stop_reason: StopReason


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """All tests of one direction; `failure` says why there are none."""

    full_length: Transfer | None = None
    frugal: tuple[Transfer, ...] = ()
    audit_count: int = 0
    cpu_s: float = 0.0
    failure: str = ""


async def one(server: str, direction: Direction, stop: StopRule) -> ThroughputSample:
    """Run one test."""
    return await Ndt7Engine().measure(server, direction, Limits(), stop)


def told(sample: ThroughputSample, knowledge: LinkKnowledge | None) -> Transfer:
    """Return what a sample says: by the frugal method with `knowledge`, by the full-length one without."""
    found = mean_throughput_mbps(sample) if knowledge is None else frugal_throughput(sample, knowledge)
    interval = found.interval
    return Transfer(
        value_mbps=found.value_mbps,
        low_mbps=interval.low if interval else found.value_mbps,
        high_mbps=interval.high if interval else found.value_mbps,
        ndt7_mbps=found.ndt7_mbps,
        link_bytes=sample.bytes_received if sample.direction is Direction.DOWNLOAD else sample.bytes_sent,
        duration_s=sample.duration_s,
        stop_reason=sample.stop_reason,
    )


async def measure(server: str, direction: Direction, runs: int, audits: int, *, only_frugal: bool) -> Outcome:
    """Run all tests of one direction, that of full length first unless left out."""
    knowledge = LinkKnowledge()
    pause_s = REFILL_S if audits else PAUSE_S
    before_s = _cpu_s()
    full_length: Transfer | None = None
    try:
        if not only_frugal:
            sample = await one(server, direction, FullLength())
            full_length = told(sample, None)
        for number in range(0 if only_frugal else audits):
            if number:
                await asyncio.sleep(pause_s)
                sample = await one(server, direction, FullLength())
            knowledge = learn(knowledge, sample)
        frugal = []
        for _ in range(runs):
            await asyncio.sleep(pause_s)
            frugal.append(told(await one(server, direction, FrugalStop(knowledge)), knowledge))
    except EngineError as error:
        return Outcome(failure=str(error))
    return Outcome(full_length=full_length, frugal=tuple(frugal), audit_count=audits, cpu_s=_cpu_s() - before_s)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure both ways and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--audits", type=int, default=0)
    parser.add_argument("--only-frugal", action="store_true")
    given = parser.parse_args()

    async def both() -> dict[Direction, Outcome]:
        found = {}
        for direction in Direction:
            found[direction] = await measure(
                given.server, direction, given.runs, given.audits, only_frugal=given.only_frugal
            )
            await asyncio.sleep(PAUSE_S)
        return found

    sys.stdout.write(msgspec.json.encode(asyncio.run(both())).decode())


if __name__ == "__main__":
    main()
