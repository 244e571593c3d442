"""Asking the collector for the school's line before a test, and giving it back after.

A collector that is down, slow, or too old to know leases stops no test: after a short wait the answer is that the line
is free.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from mektep_agent.uplink.carrier import Answer, CarrierError
from mektep_wire import LeaseAnswer, LeaseEnd, LeaseState, WireError, decode

_LOG = logging.getLogger(__name__)
ASK_TIMEOUT_S = 10.0
END_TIMEOUT_S = 10.0
TEST_S = 120.0
"""For how long the line is asked for: longer than any test. A lease that is not given back ends by itself."""


@dataclass
class Turn:
    """How the line stands. `end` is told to the collector when the block is left; whoever measured sets it.

    `taken_for_s` is for how long another device has the line at most, None where it is free or nobody knows;
    `measured_before_s` is how long ago another device of the school finished a test.
    """

    taken_for_s: float | None = None
    measured_before_s: float | None = None
    end: LeaseEnd = LeaseEnd.NOT_MEASURED


class Leases(Protocol):
    """Asks for the line."""

    def __call__(self) -> AbstractAsyncContextManager[Turn]:
        """Ask for the line; leaving the block gives it back. Raises nothing for trouble of the network."""
        ...


class LeaseCarrier(Protocol):
    """Carries requests for leases."""

    async def ask_lease(self, for_s: float) -> Answer:
        """Ask for the line; trouble of the network is in the answer. Raises CarrierError."""
        ...

    async def end_lease(self, lease_id: str, end: LeaseEnd) -> Answer:
        """Give it back. Raises CarrierError."""
        ...


class LeaseCarriers(Protocol):
    """Opens carriers of requests for leases."""

    def __call__(self) -> AbstractAsyncContextManager[LeaseCarrier]:
        """Open one; leaving the block closes it."""
        ...


def leases_over(carriers: LeaseCarriers) -> Leases:
    """Return leases that are asked for over `carriers`; one carrier is kept open for as long as the line is held."""

    @asynccontextmanager
    async def take() -> AsyncGenerator[Turn]:
        opened = carriers()
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                carrier = await opened.__aenter__()
        except (TimeoutError, CarrierError, OSError) as error:
            _LOG.info("lease_not_asked", extra={"detail": str(error) or "no answer in time"})
            yield Turn()
            return
        try:
            answer = await _ask(carrier)
            turn = Turn()
            if answer is not None:
                is_taken = answer.state is LeaseState.OTHER_PROBER
                turn = Turn(answer.ends_after_s if is_taken else None, answer.measured_before_s)
            try:
                yield turn
            finally:
                if answer is not None and answer.lease_id is not None:
                    await _end(carrier, answer.lease_id, turn.end)
        finally:
            await opened.__aexit__(None, None, None)

    return take


async def _ask(carrier: LeaseCarrier) -> LeaseAnswer | None:
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            answer = await carrier.ask_lease(TEST_S)
        if answer.status == 200:
            return decode(LeaseAnswer, answer.body)
        said = f"HTTP {answer.status}" if answer.status else answer.detail
    except (TimeoutError, CarrierError, WireError) as error:
        said = str(error) or "no answer in time"
    _LOG.info("lease_not_answered", extra={"detail": said})
    return None


async def _end(carrier: LeaseCarrier, lease_id: str, end: LeaseEnd) -> None:
    try:
        async with asyncio.timeout(END_TIMEOUT_S):
            await carrier.end_lease(lease_id, end)
    except (TimeoutError, CarrierError) as error:
        _LOG.info("lease_not_ended", extra={"detail": str(error) or "no answer in time"})
