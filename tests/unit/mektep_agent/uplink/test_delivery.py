"""Delivery against a collector in memory: each answer of the retry protocol, and a week without a collector."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from mektep_agent.config.state_folder import StateFolder
from mektep_agent.outbox.queue import Outbox
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.uplink.backoff import CAP_S
from mektep_agent.uplink.carrier import News, NewsOutcome, Renewal, RenewalOutcome
from mektep_agent.uplink.clock_comparison import clock_state
from mektep_agent.uplink.delivery import BARRED_REST_S, RENEWAL_PAUSE_S, Delivery
from mektep_agent.uplink.rest import Rest, RestReason
from mektep_wire import ClockStatus
from tests.support import memory_collector as replies
from tests.support.agent_time import BOOT, MONDAY_NOON, SetTime, a_reading
from tests.support.memory_collector import MemoryCollector, Reply

T = TypeVar("T")
CHANCE = random.Random(11)


class Line:
    """An outbox, a delivery and a collector, on one set clock."""

    def __init__(self, place: Path) -> None:
        self.time = SetTime()
        self.collector = MemoryCollector(self.time)
        self.kept = Outbox(StateFolder(place), self.time, random.Random(1), max_bytes=67_108_864, ballast_bytes=0)
        self.outbox = ThreadedOutbox(self.kept)
        self.delivery = Delivery(self.outbox, self.collector.carriers, self.time, random.Random(2), BOOT)

    def measure(self, count: int) -> None:
        self.kept.put([a_reading(CHANCE, self.time.now()) for _ in range(count)])

    def deliver(self, version: int = 1) -> Rest:
        return _run(lambda: self.delivery.deliver(version))

    def waiting(self) -> list[int]:
        return [one.seq for one in self.kept.parcel(10_000, 10**9).queued]

    def stored(self) -> list[int]:
        return sorted(seq for _, seq in self.collector.stored)


def _run(work: Callable[[], Awaitable[T]]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(20):
            return await work()

    return asyncio.run(bounded())


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.outbox.close()


def test_all_that_waits_is_sent_and_forgotten(line: Line) -> None:
    line.measure(1_203)
    assert line.deliver().reason is RestReason.DELIVERED
    assert (line.waiting(), line.stored()) == ([], list(range(1, 1_204)))
    assert max(line.collector.sizes) <= 500


def test_nothing_is_opened_when_nothing_waits(line: Line) -> None:
    assert line.deliver().reason is RestReason.NOTHING_WAITS
    assert line.collector.openings_count == 0


def test_a_lost_reply_costs_a_duplicate_and_no_reading(line: Line) -> None:
    line.measure(10)
    line.collector.replies.append(replies.store_and_lose_the_reply)
    assert line.deliver().reason is RestReason.TROUBLE
    assert len(line.waiting()) == 10
    assert line.deliver().reason is RestReason.DELIVERED
    assert (line.waiting(), line.stored()) == ([], list(range(1, 11)))
    assert line.collector.duplicates_count == 10


@pytest.mark.parametrize(
    "reply",
    [
        replies.unreachable, replies.page, replies.answer_for_another_batch, replies.name_none,
        replies.name_what_was_not_sent, replies.refuse(500, "internal"), replies.refuse(503, "unavailable"),
        replies.refuse(408, "unavailable"), replies.refuse(302, "internal"),
    ],
)  # fmt: skip
def test_what_is_no_receipt_for_this_batch_moves_no_reading(line: Line, reply: Reply) -> None:
    line.measure(5)
    line.collector.standing = reply
    for failures in range(1, 6):
        rest = line.deliver()
        assert rest.reason is RestReason.TROUBLE
        assert rest.wait_s <= min(CAP_S, 5.0 * 2 ** (failures - 1))
        assert rest.detail
    assert line.waiting() == [1, 2, 3, 4, 5]


def test_after_an_outage_one_reading_goes_ahead_of_the_rest(line: Line) -> None:
    line.measure(300)
    line.collector.replies.append(replies.unreachable)
    line.deliver()
    line.collector.sizes.clear()
    line.deliver()
    assert line.collector.sizes == [1, 299]


def test_a_reading_that_a_receipt_does_not_name_is_kept_for_the_next_time(line: Line) -> None:
    line.measure(6)
    line.collector.replies.append(replies.name_every_second)
    assert line.deliver().reason is RestReason.DELIVERED
    assert line.waiting() == [2, 4, 6]
    assert line.deliver().reason is RestReason.DELIVERED
    assert line.waiting() == []


def test_a_rejected_reading_goes_to_the_dead_letters_and_the_others_arrive(line: Line) -> None:
    line.measure(4)
    line.collector.replies.append(replies.reject_the_first)
    assert line.deliver().reason is RestReason.DELIVERED
    assert (line.waiting(), line.stored(), line.kept.census().dead_count) == ([], [2, 3, 4], 1)


def test_too_large_a_batch_is_halved_until_it_goes_through(line: Line) -> None:
    line.measure(100)
    line.collector.standing = replies.refuse_more_than(20)
    assert line.deliver().reason is RestReason.DELIVERED
    assert (line.waiting(), line.stored()) == ([], list(range(1, 101)))
    assert line.kept.census().dead_count == 0


@pytest.mark.parametrize("poison", [(1,), (50,), (100,), (1, 2, 99), (10, 20, 30, 40)])
def test_a_reading_that_spoils_its_batch_is_found_and_set_apart(line: Line, poison: tuple[int, ...]) -> None:
    line.measure(100)
    line.collector.standing = replies.choke_on(*poison)
    assert line.deliver().reason is RestReason.DELIVERED
    assert line.waiting() == []
    assert line.stored() == sorted(set(range(1, 101)) - set(poison))
    assert line.kept.census().dead_count == len(poison)
    assert len(line.collector.sizes) <= 2 + 2 * 7 * len(poison)


@pytest.mark.parametrize("count", [1, 100])
def test_a_collector_that_refuses_everything_is_not_believed(line: Line, count: int) -> None:
    line.measure(count)
    line.collector.standing = replies.refuse(400, "malformed")
    rest = line.deliver()
    assert rest.reason is RestReason.BARRED
    assert rest.wait_s == BARRED_REST_S
    assert (len(line.waiting()), line.kept.census().dead_count) == (count, 0)
    assert len(line.collector.sizes) < 40


def test_a_poisoned_reading_alone_waits_until_another_shows_that_it_is_to_blame(line: Line) -> None:
    line.measure(1)
    line.collector.standing = replies.choke_on(1)
    assert line.deliver().reason is RestReason.BARRED
    line.measure(1)
    line.deliver()
    assert line.deliver().reason is RestReason.NOTHING_WAITS
    assert (line.stored(), line.kept.census().dead_count) == ([2], 1)


@pytest.mark.parametrize(("status", "kind"), [(401, "unauthorised"), (403, "other-device"), (404, "not-found")])
def test_a_refused_device_keeps_its_readings_and_asks_again_slowly(line: Line, status: int, kind: str) -> None:
    line.measure(3)
    line.collector.standing = replies.refuse(status, kind)
    rest = line.deliver()
    assert rest.reason is RestReason.BARRED
    assert 0.9 * 3_600 <= rest.wait_s <= 1.1 * 3_600
    assert len(line.waiting()) == 3


def test_a_revoked_device_keeps_its_readings_and_stops(line: Line) -> None:
    line.measure(3)
    line.collector.standing = replies.refuse(410, "device-revoked")
    assert line.deliver().reason is RestReason.REVOKED
    assert len(line.waiting()) == 3


@pytest.mark.parametrize(
    ("asked_s", "least_s", "most_s"), [(120.0, 120.0, 132.0), (0.0, 0.0, 5.0), (9e9, 21_600.0, 23_760.0)]
)
def test_retry_after_is_kept_to_but_not_for_ever(line: Line, asked_s: float, least_s: float, most_s: float) -> None:
    line.measure(1)
    line.collector.replies.append(replies.refuse(429, "too-many-requests", asked_s))
    assert least_s <= line.deliver().wait_s <= most_s


def test_the_collector_may_ask_to_be_sent_to_later(line: Line) -> None:
    line.measure(1)
    line.collector.replies.append(
        lambda own, sent: own.receipt(sent.batch_id, own.store(sent.readings), next_after_s=777.0)
    )
    assert line.deliver().wait_s == 777.0


def test_a_newer_assignment_is_fetched_after_the_readings(line: Line) -> None:
    line.measure(1)
    line.collector.assignment_version = 4
    line.collector.news.append(News(outcome=NewsOutcome.ADOPTED, version=4))
    rest = line.deliver(version=3)
    assert (line.collector.asked_versions, rest.news) == ([3], News(outcome=NewsOutcome.ADOPTED, version=4))
    line.measure(1)
    assert line.deliver(version=4).news is None


def test_without_an_assignment_one_is_asked_for_though_nothing_waits(line: Line) -> None:
    line.collector.news.append(News(outcome=NewsOutcome.ADOPTED, version=1))
    assert line.deliver(version=0).news is not None


@pytest.mark.parametrize("wrong_s", [0.0, 3_600.0, -3_600.0, 315_360_000.0, -315_360_000.0])
def test_a_wrong_clock_is_noticed_by_the_first_receipt(line: Line, wrong_s: float) -> None:
    line.time.step_s(-wrong_s)
    line.collector.clock_ahead_s = wrong_s
    line.measure(1)
    line.deliver()
    line.time.pass_s(500.0)
    line.time.step_s(40.0)
    clock = clock_state(line.delivery.comparison, line.time)
    assert clock.status is ClockStatus.COMPARED
    assert clock.offset_s == pytest.approx(wrong_s - 40.0, abs=0.001)
    assert clock.compared_s == pytest.approx(499.9)


def test_a_week_without_a_collector_loses_nothing_and_asks_seldom(line: Line) -> None:
    line.collector.standing = replies.unreachable
    week_s, passed_s, next_reading_s, made = 7 * 86_400.0, 0.0, 0.0, 0
    while passed_s < week_s:
        while next_reading_s <= passed_s:
            line.measure(5)
            made += 5
            next_reading_s += 3_600.0
        rest = line.deliver()
        assert rest.reason is RestReason.TROUBLE
        line.time.pass_s(max(rest.wait_s, 1.0))
        passed_s += max(rest.wait_s, 1.0)
    tries = len(line.collector.sizes)
    assert 300 < tries < 1_500, f"{tries} tries in a week"
    assert set(line.collector.sizes[1:]) == {1}, "a backlog was put on a link that was down"
    line.collector.standing = None
    assert line.deliver().reason is RestReason.DELIVERED
    assert (line.waiting(), line.stored()) == ([], list(range(1, made + 1)))


def test_the_token_is_asked_about_after_each_delivery_by_the_collectors_clock(line: Line) -> None:
    line.collector.clock_ahead_s = 86_400.0
    for _ in range(2):
        line.measure(1)
        assert line.deliver().renewal is None
        line.time.pass_s(60)
    ahead_s = [(at - MONDAY_NOON).total_seconds() for at in line.collector.renewals_asked_at]
    assert ahead_s == pytest.approx([86_400.0, 86_460.0], abs=1.0)


def test_nothing_is_renewed_while_the_collector_does_not_take_readings(line: Line) -> None:
    for reply in (replies.unreachable, replies.refuse(401, "unauthorised"), replies.refuse(403, "device-revoked")):
        line.measure(1)
        line.collector.replies.append(reply)
        line.deliver()
    assert line.collector.renewals_asked_at == []


@pytest.mark.parametrize("outcome", sorted(set(RenewalOutcome) - {RenewalOutcome.NOT_DUE}))
def test_whatever_came_of_a_renewal_the_next_is_an_hour_later(line: Line, outcome: RenewalOutcome) -> None:
    line.collector.renewals.append(Renewal(outcome=outcome))
    line.measure(1)
    rest = line.deliver()
    assert (rest.reason, rest.renewal) == (RestReason.DELIVERED, Renewal(outcome=outcome))
    line.time.pass_s(RENEWAL_PAUSE_S - 1)
    line.measure(1)
    line.deliver()
    assert len(line.collector.renewals_asked_at) == 1
    line.time.pass_s(1)
    line.measure(1)
    line.deliver()
    assert len(line.collector.renewals_asked_at) == 2
