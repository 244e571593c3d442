"""Carriers whose every exchange is counted for the data budget, whatever came of it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from mektep_agent.budget.link_bytes import CONNECTION_BYTES, of_exchange
from mektep_agent.uplink.carrier import Answer, Carrier, Carriers, Consignment, News, Renewal, RenewalOutcome
from mektep_agent.uplink.leases import LeaseCarrier, LeaseCarriers
from mektep_wire import LeaseEnd

Spend = Callable[[int], None]
_ASSIGNMENT_BYTES = 3_000
_TOKEN_BYTES = 1_000


def counted(carriers: Carriers, spend: Spend) -> Carriers:
    """Return carriers that tell `spend` what they moved."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[Carrier]:
        async with carriers() as carrier:
            spend(CONNECTION_BYTES)
            yield _Counted(carrier, spend)

    return opened


def counted_leases(carriers: LeaseCarriers, spend: Spend) -> LeaseCarriers:
    """Return carriers of requests for leases that tell `spend` what they moved."""

    @asynccontextmanager
    async def opened() -> AsyncGenerator[LeaseCarrier]:
        async with carriers() as carrier:
            spend(CONNECTION_BYTES)
            yield _CountedLeases(carrier, spend)

    return opened


class _Counted:
    def __init__(self, carrier: Carrier, spend: Spend) -> None:
        self._carrier = carrier
        self._spend = spend

    async def send(self, consignment: Consignment) -> Answer:
        answer = await self._carrier.send(consignment)
        self._spend(of_exchange(answer.content_bytes))
        return answer

    async def fetch_assignment(self, current_version: int) -> News:
        self._spend(of_exchange(_ASSIGNMENT_BYTES))
        return await self._carrier.fetch_assignment(current_version)

    async def renew_token(self, at: datetime) -> Renewal:
        renewal = await self._carrier.renew_token(at)
        if renewal.outcome is not RenewalOutcome.NOT_DUE:
            self._spend(of_exchange(_TOKEN_BYTES))
        return renewal


class _CountedLeases:
    def __init__(self, carrier: LeaseCarrier, spend: Spend) -> None:
        self._carrier = carrier
        self._spend = spend

    async def ask_lease(self, for_s: float) -> Answer:
        answer = await self._carrier.ask_lease(for_s)
        self._spend(of_exchange(answer.content_bytes))
        return answer

    async def end_lease(self, lease_id: str, end: LeaseEnd) -> Answer:
        answer = await self._carrier.end_lease(lease_id, end)
        self._spend(of_exchange(answer.content_bytes))
        return answer
