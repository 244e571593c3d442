"""The outbox against a model, through crashes and lost replies: nothing lost, nothing twice, no seq given again."""

import random
import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.outbox.parcel import Rejection
from mektep_agent.outbox.queue import Outbox
from mektep_wire import Outcome, Reading, decode
from tests.support.agent_time import SetTime, a_reading


class OutboxMachine(RuleBasedStateMachine):
    """An agent that measures, sends, loses replies and is switched off, and a collector that keeps by (epoch, seq)."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="outbox-model-"))
        self.chance = random.Random(3)
        self.acknowledged: dict[int, str] = {}
        self.stored: dict[int, str] = {}
        self.dead: set[int] = set()
        self.marks: set[str] = set()
        self.outbox = self._open()
        self.epoch = self.outbox.epoch

    def _open(self) -> Outbox:
        return Outbox(StateFolder(self.place), SetTime(), self.chance, max_bytes=67_108_864, ballast_bytes=0)

    @rule(count=st.integers(1, 6), outcome=st.sampled_from([Outcome.OK, Outcome.FAILED]))
    def put(self, count: int, outcome: Outcome) -> None:
        mark = f"2026-11-23/{len(self.marks)}"
        numbered = self.outbox.put([a_reading(self.chance, outcome=outcome) for _ in range(count)], [mark])
        self.marks.add(mark)
        for reading in numbered:
            assert reading.seq not in self.acknowledged
            self.acknowledged[reading.seq] = reading.id

    @rule(most=st.integers(1, 8), after=st.integers(0, 3), reply=st.sampled_from(["comes", "lost", "partly"]))
    def send(self, most: int, after: int, reply: str) -> None:
        parcel = self.outbox.parcel(most, 10**6, after)
        for one in parcel.queued:
            reading = decode(Reading, one.payload)
            assert self.stored.setdefault(reading.seq, reading.id) == reading.id
        named = {"comes": parcel.queued, "lost": [], "partly": parcel.queued[::2]}[reply]
        if reply != "lost":
            self.outbox.settle(parcel.epoch, [one.seq for one in named], [])

    @rule()
    def reject_the_oldest(self) -> None:
        parcel = self.outbox.parcel(1, 10**6)
        self.outbox.settle(parcel.epoch, [], [Rejection(one.seq, "$", "no") for one in parcel.queued])
        self.dead |= {one.seq for one in parcel.queued}

    @rule()
    def switch_off(self) -> None:
        """Leave the file as it is on disk, without a close that could tidy up, and start from a copy of it."""
        copy = self.place.with_name(self.place.name + "-after")
        shutil.copytree(self.place, copy)
        self.outbox.close()
        shutil.rmtree(self.place)
        copy.rename(self.place)
        self.outbox = self._open()

    @invariant()
    def every_acknowledged_reading_is_somewhere(self) -> None:
        waiting = {one.seq: decode(Reading, one.payload).id for one in self.outbox.parcel(10_000, 10**9).queued}
        assert self.outbox.epoch == self.epoch
        for seq, reading_id in self.acknowledged.items():
            assert reading_id in {waiting.get(seq), self.stored.get(seq)} or seq in self.dead
        assert sorted(self.acknowledged) == list(range(1, len(self.acknowledged) + 1))

    @invariant()
    def marks_are_remembered(self) -> None:
        assert self.outbox.marks() == self.marks

    def teardown(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.place)


TestOutboxMachine = OutboxMachine.TestCase
