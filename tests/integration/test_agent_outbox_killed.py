"""A real process with an outbox is killed (SIGKILL) again and again, at any step: nothing lost, nothing twice."""

import os
import random
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.outbox.queue import MAX_MARKS_COUNT, Outbox
from mektep_wire import Reading, decode

KILLS_COUNT = int(os.environ.get("OUTBOX_KILLS_COUNT", "30"))
ROOT = Path(__file__).parents[2]
MOST_SAID_COUNT = 30
LONGEST_REST_S = 0.01
"""A life ends so long after a drawn number of lines: however slow the machine, it has a life to end."""
MARKS_COUNT = MAX_MARKS_COUNT // 2
"""Older marks are forgotten by design; those of puts that a kill kept from being said count too."""
START_TIMEOUT_S = 20.0


def _live_and_die(state: Path, collector: Path, chance: random.Random) -> list[str]:
    """Return what the process said in its life of a random length, all of it said after it was true."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.outbox_under_fire", str(state), str(collector), str(chance.random())],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_TIMEOUT_S)
    assert ready, "the process did not start"
    first = "".join(process.stdout.readline() for _ in range(chance.randint(1, MOST_SAID_COUNT)))
    time.sleep(chance.uniform(0, LONGEST_REST_S))  # the moment of the kill is what is random here
    process.kill()
    rest = process.stdout.read()
    process.wait()
    process.stdout.close()
    said = first + rest
    return said[: said.rfind("\n") + 1].splitlines()


@pytest.mark.slow
def test_what_the_outbox_acknowledged_survives_every_kill_exactly_once(tmp_path: Path) -> None:
    chance = random.Random(os.environ.get("OUTBOX_KILLS_SEED", "17"))
    state, collector = tmp_path / "state", tmp_path / "collector.txt"
    acknowledged: dict[tuple[str, int], str] = {}
    marks: list[str] = []
    for _ in range(KILLS_COUNT):
        for line in _live_and_die(state, collector, chance):
            word, *rest = line.split()
            if word == "asides":
                assert rest == ["0"], "a kill alone must never damage the outbox"
                continue
            epoch, seq, reading_id, mark = rest
            key = (epoch, int(seq))
            assert key not in acknowledged, "a seq was given twice"
            acknowledged[key] = reading_id
            marks.append(mark)

    stored: dict[tuple[str, int], str] = {}
    for line in collector.read_text().splitlines():
        epoch, seq, reading_id = line.split()
        assert stored.setdefault((epoch, int(seq)), reading_id) == reading_id, "a seq was used for two readings"
    outbox = Outbox(StateFolder(state), SystemTime(), random.Random(1), max_bytes=16_777_216, ballast_bytes=0)
    waiting = {one.seq: decode(Reading, one.payload).id for one in outbox.parcel(10**6, 10**9).queued}
    remembered, last_seq = outbox.marks(), outbox.census().last_seq
    outbox.close()

    assert len(acknowledged) > 5 * KILLS_COUNT, "the process hardly lived: the test shows little"
    (only_epoch,) = {epoch for epoch, _ in acknowledged} | {epoch for epoch, _ in stored}
    for (_, number), reading_id in acknowledged.items():
        assert reading_id in {waiting.get(number), stored.get((only_epoch, number))}, f"reading {number} is lost"
    assert set(marks[-MARKS_COUNT:]) <= remembered
    held = {number for _, number in stored} | waiting.keys()
    assert held == set(range(1, last_seq + 1)), "the collector would see a gap"
    print({"kills": KILLS_COUNT, "readings": len(acknowledged), "lost": 0, "twice": 0})
