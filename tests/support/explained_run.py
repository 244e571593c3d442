"""One download with a witness beside it, as the daemon runs it: `python -m tests.support.explained_run SERVER ...`.

It learns the path, says so on stdout, waits for a line on stdin (the test breaks something meanwhile), measures, and
prints the readings as JSON. The waits are short, so that a line that is cut does not hold the test up.
"""

import argparse
import asyncio
import sys
from random import SystemRandom

import msgspec

from mektep_agent.clock import SystemTime
from mektep_agent.daemon.attended import attended
from mektep_agent.engines.engine import Limits
from mektep_agent.link.boot import boot_id
from mektep_agent.link.conditions import conditions
from mektep_agent.link.counters import crossed
from mektep_agent.link.gateway import default_gateway
from mektep_agent.probes.audit.conduct import Part, Unlearnt
from mektep_agent.probes.audit.frugal import Frugal
from mektep_agent.probes.cause.build import build_witness
from mektep_agent.probes.cause.witness import Expected
from mektep_agent.probes.outage.heart import build_heart
from mektep_agent.probes.probe import Run
from mektep_agent.probes.table import build_probes, targets_from_server
from mektep_wire import Direction, ExpectedFrom, ProbeName, Reading, Trigger

READY = "ready"
LIMITS = Limits(connect_timeout_s=1.5, stall_timeout_s=1.5)
LEARN_TIMEOUT_S = 2.0


async def run(server: str, others: list[str], expected_mbps: float) -> list[Reading]:
    """Return the readings of one download."""
    time, chance, targets = SystemTime(), SystemRandom(), targets_from_server(server)
    heart = build_heart(targets.echo, targets.path, others, default_gateway, time, chance)
    expected = {Direction.DOWNLOAD: Expected(expected_mbps, ExpectedFrom.HAND)}
    witness = build_witness(targets.echo, heart.locator, expected, time, chance)
    probes = build_probes(
        targets,
        time,
        chance,
        limits=LIMITS,
        directions=(Direction.DOWNLOAD,),
        manner=Unlearnt(Frugal(), Part.SHORTENED, LIMITS),
    )
    await heart.locator.learn(LEARN_TIMEOUT_S)
    print(READY, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    this_run = Run(trigger=Trigger.MANUAL, boot_id=boot_id(), conditions=conditions())
    return list(await attended(probes[ProbeName.THROUGHPUT], this_run, server, time, crossed, witness))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("--other", action="append", default=[])
    parser.add_argument("--expect", type=float, default=50.0)
    given = parser.parse_args()
    readings = asyncio.run(run(given.server, given.other, given.expect))
    sys.stdout.write(msgspec.json.encode({"readings": readings}).decode() + "\n")


if __name__ == "__main__":
    main()
