"""A collector in memory behind the carrier's seam: stores by (epoch, seq), answers in the wire's own forms."""

import random
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec

from mektep_agent.uplink.carrier import Answer, Carrier, Consignment, News, NewsOutcome, Renewal, RenewalOutcome
from mektep_wire import Fate, FateOutcome, Problem, Reading, Receipt, decode, encode, new_uuid7
from mektep_wire.problem import PROBLEM_MEDIA_TYPE
from tests.support.agent_time import SetTime

Reply = Callable[["MemoryCollector", Consignment], Answer]


class MemoryCollector:
    """`replies` holds what to do with the next batches instead of what is right; `standing` with all of them."""

    def __init__(self, time: SetTime) -> None:
        self.time = time
        self.clock_ahead_s = 0.0
        self.replies: deque[Reply] = deque()
        self.standing: Reply | None = None
        self.stored: dict[tuple[str, int], str] = {}
        self.duplicates_count = 0
        self.sizes: list[int] = []
        self.openings_count = 0
        self.assignment_version = 1
        self.news: deque[News] = deque()
        self.asked_versions: list[int] = []
        self.renewals: deque[Renewal] = deque()
        self.renewals_asked_at: list[datetime] = []

    @asynccontextmanager
    async def carriers(self) -> AsyncGenerator[Carrier]:
        self.openings_count += 1
        yield self

    async def send(self, consignment: Consignment) -> Answer:
        self.sizes.append(len(consignment.readings))
        if self.standing is not None:
            return self.standing(self, consignment)
        return (self.replies.popleft() if self.replies else accept)(self, consignment)

    async def fetch_assignment(self, current_version: int) -> News:
        self.asked_versions.append(current_version)
        return self.news.popleft() if self.news else News(outcome=NewsOutcome.UNCHANGED)

    async def renew_token(self, at: datetime) -> Renewal:
        self.renewals_asked_at.append(at)
        return self.renewals.popleft() if self.renewals else Renewal(outcome=RenewalOutcome.NOT_DUE)

    def answer(self, status: int, media_type: str, body: bytes, retry_after_s: float | None = None) -> Answer:
        return Answer(
            sent_at=self.time.now(), sent_monotonic_s=self.time.monotonic_s(), rtt_s=0.2,
            status=status, media_type=media_type, body=body, retry_after_s=retry_after_s,
        )  # fmt: skip

    def receipt(self, batch_id: str, fates: Sequence[Fate], next_after_s: float | None = None) -> Answer:
        received_at = datetime.fromtimestamp(self.time.now().timestamp() + 0.1 + self.clock_ahead_s, UTC)
        receipt = Receipt(
            batch_id=batch_id, received_at=received_at, fates=fates,
            next_after_s=next_after_s, assignment_version=self.assignment_version,
        )  # fmt: skip
        return self.answer(200, "application/json", encode(receipt))

    def store(self, raws: Sequence[msgspec.Raw]) -> list[Fate]:
        fates = []
        for index, raw in enumerate(raws):
            reading = decode(Reading, raw)
            key = (reading.epoch, reading.seq)
            is_new = key not in self.stored
            assert self.stored.setdefault(key, reading.id) == reading.id
            self.duplicates_count += not is_new
            fates.append(Fate(index=index, outcome=FateOutcome.STORED if is_new else FateOutcome.DUPLICATE))
        return fates


def accept(collector: MemoryCollector, consignment: Consignment) -> Answer:
    return collector.receipt(consignment.batch_id, collector.store(consignment.readings))


def store_and_lose_the_reply(collector: MemoryCollector, consignment: Consignment) -> Answer:
    collector.store(consignment.readings)
    return unreachable(collector, consignment)


def unreachable(collector: MemoryCollector, _: Consignment) -> Answer:
    return Answer(
        sent_at=collector.time.now(), sent_monotonic_s=collector.time.monotonic_s(), rtt_s=15.0, detail="down"
    )


def name_every_second(collector: MemoryCollector, consignment: Consignment) -> Answer:
    return collector.receipt(consignment.batch_id, collector.store(consignment.readings)[::2])


def name_none(collector: MemoryCollector, consignment: Consignment) -> Answer:
    return collector.receipt(consignment.batch_id, [])


def answer_for_another_batch(collector: MemoryCollector, consignment: Consignment) -> Answer:
    other = new_uuid7(collector.time.now(), random.Random(99))
    return collector.receipt(other, collector.store(consignment.readings))


def name_what_was_not_sent(collector: MemoryCollector, consignment: Consignment) -> Answer:
    return collector.receipt(consignment.batch_id, [Fate(index=len(consignment.readings), outcome=FateOutcome.STORED)])


def reject_the_first(collector: MemoryCollector, consignment: Consignment) -> Answer:
    fates = collector.store(consignment.readings[1:])
    rejected = Fate(index=0, outcome=FateOutcome.REJECTED, field="$.values", reason="absurd")
    shifted = [msgspec.structs.replace(fate, index=fate.index + 1) for fate in fates]
    return collector.receipt(consignment.batch_id, [rejected, *shifted])


def page(collector: MemoryCollector, _: Consignment) -> Answer:
    return collector.answer(200, "text/html", b"<html>Log in</html>")


def refuse(status: int, kind: str, retry_after_s: float | None = None) -> Reply:
    """Return a reply with this problem."""

    def reply(collector: MemoryCollector, _: Consignment) -> Answer:
        problem = Problem(type=f"urn:mektep-meter:problem:{kind}", title=kind, status=status, detail="on order")
        return collector.answer(status, PROBLEM_MEDIA_TYPE, encode(problem), retry_after_s)

    return reply


def refuse_more_than(count: int) -> Reply:
    """Return a reply that finds batches of more than `count` readings too large."""

    def reply(collector: MemoryCollector, consignment: Consignment) -> Answer:
        refused = len(consignment.readings) > count
        return (refuse(413, "body-too-large") if refused else accept)(collector, consignment)

    return reply


def choke_on(*seqs: int) -> Reply:
    """Return a reply that cannot read a batch with one of these readings in it."""

    def reply(collector: MemoryCollector, consignment: Consignment) -> Answer:
        held = {decode(Reading, raw).seq for raw in consignment.readings}
        return (refuse(400, "malformed") if held & set(seqs) else accept)(collector, consignment)

    return reply
