"""An agent reduced to its outbox, to be killed at any moment: puts, sends to a collector that is a file, settles.

`python -m tests.support.outbox_under_fire STATE_DIR COLLECTOR_FILE SEED`. Each reading that the outbox acknowledged is
said on stdout, as is each mark; the collector's file holds what it stored, on disk before the outbox is told.
"""

import os
import random
import sys
from pathlib import Path

from mektep_agent.clock import SystemTime
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.outbox.queue import Outbox
from mektep_wire import Reading, decode
from tests.support.agent_time import a_reading


def main(state: str, collector: str, seed: str) -> None:
    chance = random.Random(seed)
    outbox = Outbox(
        StateFolder(Path(state)), SystemTime(), random.SystemRandom(), max_bytes=16_777_216, ballast_bytes=131_072
    )
    stored = os.open(collector, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.stdout.write(f"asides {len(outbox.set_aside)}\n")
    while True:
        mark = f"{chance.getrandbits(64):x}"
        for reading in outbox.put([a_reading(chance) for _ in range(chance.randint(1, 4))], [mark]):
            sys.stdout.write(f"put {reading.epoch} {reading.seq} {reading.id} {mark}\n")
        sys.stdout.flush()
        if chance.random() < 0.4:
            parcel = outbox.parcel(chance.randint(1, 20), 10**6)
            lines = [
                f"{reading.epoch} {reading.seq} {reading.id}\n"
                for reading in (decode(Reading, one.payload) for one in parcel.queued)
            ]
            os.write(stored, "".join(lines).encode())
            os.fsync(stored)
            outbox.settle(parcel.epoch, [one.seq for one in parcel.queued], [])


if __name__ == "__main__":
    main(*sys.argv[1:])
