"""One throughput test and nothing beside it: `python -m tests.support.one_transfer SERVER download|upload`.

It says that it is ready, waits for a line on stdin, measures, and prints the readings as JSON. Its waits are short.
"""

import asyncio
import sys
from random import SystemRandom

import msgspec

from mektep_agent.clock import SystemTime
from mektep_agent.engines.engine import Limits
from mektep_agent.engines.ndt7 import Ndt7Engine
from mektep_agent.link.boot import boot_id
from mektep_agent.probes.audit.conduct import Part, Unlearnt
from mektep_agent.probes.audit.frugal import Frugal
from mektep_agent.probes.probe import Run
from mektep_agent.probes.throughput import ThroughputProbe
from mektep_wire import Direction, Trigger

READY = "ready"
LIMITS = Limits(connect_timeout_s=1.5, stall_timeout_s=1.5)


def main(server: str, direction: Direction) -> None:
    """Wait, measure, print."""
    time = SystemTime()
    probe = ThroughputProbe(
        Ndt7Engine(time=time),
        server,
        Unlearnt(Frugal(), Part.SHORTENED, LIMITS),
        time,
        SystemRandom(),
        limits=LIMITS,
        directions=(direction,),
    )
    print(READY, flush=True)
    sys.stdin.readline()
    readings = asyncio.run(probe.run(Run(trigger=Trigger.MANUAL, boot_id=boot_id())))
    sys.stdout.write(msgspec.json.encode({"readings": readings}).decode() + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Direction(sys.argv[2]))
