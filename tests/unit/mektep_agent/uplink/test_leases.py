"""Asking for the line: whatever goes wrong on the way stops no test, and what was granted is given back."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from mektep_agent.uplink.carrier import Answer, CarrierError
from mektep_agent.uplink.leases import LeaseCarrier, Turn, leases_over
from mektep_wire import FailureKind, LeaseAnswer, LeaseEnd, LeaseState, encode, new_uuid7
from tests.support.agent_time import MONDAY_NOON

LEASE_ID = new_uuid7(MONDAY_NOON, random.Random(1))
GRANTED = LeaseAnswer(state=LeaseState.GRANTED, ends_after_s=120.0, lease_id=LEASE_ID, measured_before_s=7.0)
TAKEN = LeaseAnswer(state=LeaseState.OTHER_PROBER, ends_after_s=90.0, measured_before_s=None)


def _said(body: bytes, status: int | None = 200, failure: FailureKind | None = None) -> Answer:
    return Answer(sent_at=MONDAY_NOON, sent_monotonic_s=1.0, rtt_s=0.1, status=status, body=body, failure=failure)


class Scripted:
    """A carrier that gives one answer, or raises, and remembers what was given back."""

    def __init__(self, answer: Answer | Exception, end: Exception | None = None) -> None:
        self._answer = answer
        self._end = end
        self.ended: list[tuple[str, LeaseEnd]] = []
        self.opened_count = self.closed_count = 0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[LeaseCarrier]:
        self.opened_count += 1
        try:
            yield self
        finally:
            self.closed_count += 1

    async def ask_lease(self, for_s: float) -> Answer:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def end_lease(self, lease_id: str, end: LeaseEnd) -> Answer:
        self.ended.append((lease_id, end))
        if self._end is not None:
            raise self._end
        return _said(b"", 204)


def _held(carrier: Scripted, end: LeaseEnd = LeaseEnd.NOT_MEASURED) -> Turn:
    async def hold() -> Turn:
        async with leases_over(carrier.open)() as turn:
            turn.end = end
            return turn

    return asyncio.run(hold())


@pytest.mark.parametrize("end", LeaseEnd)
def test_what_was_granted_is_given_back_with_what_came_of_it(end: LeaseEnd) -> None:
    carrier = Scripted(_said(encode(GRANTED)))
    turn = _held(carrier, end)
    assert (turn.taken_for_s, turn.measured_before_s) == (None, 7.0)
    assert (carrier.ended, carrier.closed_count) == ([(LEASE_ID, end)], 1)


def test_a_taken_line_says_for_how_long_and_nothing_is_given_back() -> None:
    carrier = Scripted(_said(encode(TAKEN)))
    assert (_held(carrier).taken_for_s, carrier.ended, carrier.closed_count) == (90.0, [], 1)


@pytest.mark.parametrize(
    "answer",
    [
        _said(b"", None, FailureKind.CONNECTION_REFUSED),
        _said(b"<html>Please log in</html>"),
        _said(b'{"state": "granted"}'),
        _said(b"{}", 404),
        _said(b"{}", 429),
        _said(b"{}", 503),
        CarrierError("the courier ended"),
        TimeoutError(),
    ],
    ids=lambda answer: str(getattr(answer, "status", answer)),
)
def test_without_an_answer_the_line_is_free(answer: Answer | Exception) -> None:
    carrier = Scripted(answer)
    assert _held(carrier) == Turn()
    assert (carrier.ended, carrier.closed_count) == ([], 1)


@pytest.mark.parametrize("error", [CarrierError("the courier ended"), TimeoutError(), OSError("no such program")])
def test_a_carrier_that_cannot_be_opened_stops_no_test(error: Exception) -> None:
    @asynccontextmanager
    async def broken() -> AsyncGenerator[LeaseCarrier]:
        if carrier.opened_count == 0:
            raise error
        yield carrier

    carrier = Scripted(error)

    async def hold() -> Turn:
        async with leases_over(broken)() as turn:
            return turn

    assert asyncio.run(hold()) == Turn()


@pytest.mark.parametrize("error", [CarrierError("the courier ended"), TimeoutError()])
def test_a_lease_that_cannot_be_given_back_ends_by_itself(error: Exception) -> None:
    carrier = Scripted(_said(encode(GRANTED)), error)
    _held(carrier)
    assert carrier.closed_count == 1


def test_a_bug_in_the_test_gives_the_line_back_and_goes_on_up() -> None:
    carrier = Scripted(_said(encode(GRANTED)))

    async def spoil() -> None:
        async with leases_over(carrier.open)():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(spoil())
    assert (carrier.ended, carrier.closed_count) == ([(LEASE_ID, LeaseEnd.NOT_MEASURED)], 1)
