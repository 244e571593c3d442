"""A simulated fleet on the wire obeys what the collector answers, and loses and invents nothing."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from random import Random

import msgspec
import pytest
from starlette.types import Receive, Scope, Send

from mektep_collector.simulate.batch import SignedBody
from mektep_collector.simulate.delivery import DeliveryError, Sender, Tally, check_reach, deliver
from mektep_wire import Fate, FateOutcome, Receipt, encode
from tests.support.scripted_http import Peer, scripted_http
from tests.support.serving import serving
from tests.support.set_time import SetTime

BATCH_ID = "01900000-0000-7000-8000-000000000001"
STORED, DUPLICATE, REJECTED = FateOutcome.STORED, FateOutcome.DUPLICATE, FateOutcome.REJECTED


class Answer(msgspec.Struct, frozen=True):
    """What a collector is to answer."""

    status: int
    body: bytes = b"no"
    retry_after: str | None = None


def receipt(*outcomes: FateOutcome) -> Answer:
    fates = [
        Fate(index=at, outcome=each, **({"field": "$", "reason": "on order"} if each is REJECTED else {}))
        for at, each in enumerate(outcomes)
    ]
    told = Receipt(batch_id=BATCH_ID, received_at=SetTime().now(), fates=fates, assignment_version=1)
    return Answer(200, encode(told))


class Desk:
    """Takes batches at `/v1/readings` over real HTTP and answers by order; then as if it had stored all, of `size`."""

    def __init__(self, *orders: Answer, size: int = 2) -> None:
        self.orders = deque(orders)
        self.size = size
        self.taken: list[tuple[bytes, dict[str, str]]] = []
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["path"] == "/v1/readings":
            self.taken.append((body, {name.decode(): value.decode() for name, value in scope["headers"]}))
        answer = self.orders.popleft() if self.orders else receipt(*[STORED] * self.size)
        headers = [(b"content-length", str(len(answer.body)).encode())]
        if answer.retry_after is not None:
            headers.append((b"retry-after", answer.retry_after.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


@contextmanager
def open_desk(*orders: Answer, size: int = 2) -> Iterator[Desk]:
    desk = Desk(*orders, size=size)
    with serving(desk) as (host, port):
        desk.url = f"http://{host}:{port}"
        yield desk


def sent(number: int, size: int = 2) -> SignedBody:
    return SignedBody(f"batch {number}".encode(), f"signature-{number}", size)


class Delivery:
    """Delivers to `url` and remembers how long was waited."""

    def __init__(self) -> None:
        self.pauses_s: list[float] = []
        self.told: list[int] = []

    def to(self, url: str, *bodies: SignedBody, connections_count: int = 1) -> Tally:
        return self.of(url, [Sender("token-1", bodies)], connections_count)

    def of(self, url: str, senders: Iterable[Sender], connections_count: int, tally: Tally | None = None) -> Tally:
        async def sleep(pause_s: float) -> None:
            self.pauses_s.append(pause_s)
            await asyncio.sleep(0)

        def progress(tally: Tally) -> None:
            self.told.append(tally.batches_count)

        return asyncio.run(deliver(url, senders, connections_count, Random(1), progress, sleep, tally))


def test_a_batch_goes_as_it_is_with_its_token_and_signature() -> None:
    with open_desk() as desk:
        tally = Delivery().to(desk.url, sent(1))
    ((body, headers),) = desk.taken
    assert body == b"batch 1"
    assert headers["authorization"] == "Bearer token-1"
    assert headers["mektep-signature"] == "signature-1"
    assert (headers["content-encoding"], headers["content-type"]) == ("gzip", "application/json")
    assert (tally.batches_count, tally.stored_count, tally.sent_bytes, tally.answers) == (1, 2, 7, {200: 1})


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_told_to_wait_waits_that_long_and_up_to_as_long_again(status: int) -> None:
    busy = [Answer(status, retry_after="7")] * 40
    delivery = Delivery()
    with open_desk(*busy) as desk:
        tally = delivery.to(desk.url, sent(1))
    assert len(delivery.pauses_s) == 40
    assert 7.0 <= min(delivery.pauses_s) < 8.0
    assert 13.0 < max(delivery.pauses_s) <= 14.0
    assert {body for body, _ in desk.taken} == {b"batch 1"}
    assert (tally.stored_count, tally.untold_count, tally.answers) == (2, 0, {status: 40, 200: 1})


@pytest.mark.parametrize("retry_after", [None, "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_who_is_told_to_wait_and_not_for_how_long_waits_a_little_and_says_so(retry_after: str | None) -> None:
    delivery = Delivery()
    with open_desk(Answer(429, retry_after=retry_after)) as desk:
        tally = delivery.to(desk.url, sent(1))
    assert len(delivery.pauses_s) == 1
    assert 0.5 <= delivery.pauses_s[0] <= 1.0
    assert (tally.untold_count, tally.stored_count) == (1, 2)


def test_a_connection_that_breaks_is_tried_again_with_the_same_bytes_after_pauses_that_grow() -> None:
    taken: list[bytes] = []

    def script(peer: Peer) -> None:
        head, _, body = peer.hear().partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(body) < length:
            body += peer.connection.recv(4_096)
        taken.append(body)
        if len(taken) < 8:
            peer.reset()
            return
        answer = receipt(DUPLICATE, DUPLICATE).body
        peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(answer) + answer)

    delivery = Delivery()
    with scripted_http(script) as url:
        tally = delivery.to(url, sent(1))
    assert taken == [b"batch 1"] * 8
    assert (tally.duplicate_count, tally.stored_count, tally.answers) == (2, 0, {0: 7, 200: 1})
    bounds_s = [0.5 * 2**attempt for attempt in range(6)]
    assert all(pause_s <= bound_s for pause_s, bound_s in zip(delivery.pauses_s, bounds_s, strict=False))
    assert len(delivery.pauses_s) == 7
    assert 2.0 < max(delivery.pauses_s) <= 30.0


def test_fates_are_counted_each_by_its_kind() -> None:
    with open_desk(receipt(STORED, DUPLICATE, DUPLICATE, REJECTED), size=4) as desk:
        tally = Delivery().to(desk.url, sent(1, 4), sent(2, 4))
    assert (tally.stored_count, tally.duplicate_count, tally.rejected_count) == (5, 2, 1)
    assert tally.batches_count == 2


def test_a_count_goes_on_over_several_deliveries() -> None:
    delivery = Delivery()
    with open_desk() as desk:
        tally = delivery.to(desk.url, sent(1))
        assert delivery.of(desk.url, [Sender("token-1", [sent(2)])], 1, tally) is tally
    assert (tally.batches_count, tally.stored_count) == (2, 4)
    assert delivery.told == [1, 2]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 500])
def test_what_is_refused_for_good_is_an_error_that_says_the_answer(status: int) -> None:
    delivery = Delivery()
    with open_desk(Answer(status, b"told on order")) as desk, pytest.raises(DeliveryError) as refused:
        delivery.to(desk.url, sent(1), sent(2))
    assert str(refused.value) == f"the collector does not take a batch of 2 readings: {status}: told on order"
    assert len(desk.taken) == 1
    assert delivery.pauses_s == []


def test_who_is_never_taken_gives_up_after_many_tries() -> None:
    with (
        open_desk(*[Answer(503, b"busy", retry_after="1")] * 70) as desk,
        pytest.raises(DeliveryError, match="503: busy"),
    ):
        Delivery().to(desk.url, sent(1))
    assert len(desk.taken) == 60


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(200, b"<html>Please log in</html>"), "what answers is no collector"),
        (receipt(STORED), "names 1 readings of 2"),
        (receipt(STORED, STORED, STORED), "names 3 readings of 2"),
    ],
)
def test_a_receipt_that_is_none_is_an_error(answer: Answer, reason: str) -> None:
    with open_desk(answer) as desk, pytest.raises(DeliveryError, match=reason):
        Delivery().to(desk.url, sent(1))


def test_devices_deliver_side_by_side_and_each_its_batches_in_order() -> None:
    senders = [Sender(f"token-{device}", [sent(10 * device + at) for at in range(5)]) for device in range(6)]
    with open_desk() as desk:
        Delivery().of(desk.url, senders, connections_count=3)
    by_token: dict[str, list[bytes]] = {}
    for body, headers in desk.taken:
        by_token.setdefault(headers["authorization"], []).append(body)
    assert by_token == {
        f"Bearer token-{device}": [f"batch {10 * device + at}".encode() for at in range(5)] for device in range(6)
    }
    turns = [headers["authorization"] for _, headers in desk.taken]
    assert turns != sorted(turns)


def test_a_batch_is_made_when_its_turn_has_come() -> None:
    made: list[int] = []

    def bodies() -> Iterator[SignedBody]:
        for number in range(3):
            made.append(len(desk.taken))
            yield sent(number)

    with open_desk() as desk:
        Delivery().of(desk.url, [Sender("token-1", bodies())], connections_count=1)
    assert made == [0, 1, 2]


def test_a_bug_is_no_refusal() -> None:
    def bodies() -> Iterator[SignedBody]:
        yield sent(1)
        raise ZeroDivisionError

    with open_desk() as desk, pytest.raises(ExceptionGroup) as failed:
        Delivery().of(desk.url, [Sender("token-1", bodies())], connections_count=1)
    assert failed.group_contains(ZeroDivisionError)


def test_a_collector_that_is_ready_is_in_reach() -> None:
    with open_desk(Answer(200)) as desk:
        asyncio.run(check_reach(desk.url))


def test_one_that_is_not_ready_is_not() -> None:
    with open_desk(Answer(503, b"journal: full")) as desk, pytest.raises(DeliveryError, match="503: journal: full"):
        asyncio.run(check_reach(desk.url))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nowhere", "http://["])
def test_an_address_where_nobody_answers_is_named(url: str) -> None:
    with pytest.raises(DeliveryError) as away:
        asyncio.run(check_reach(url))
    assert str(away.value).startswith(f"no collector answers at {url}: ")
