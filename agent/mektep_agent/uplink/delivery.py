"""Delivering: parcels from the outbox to the collector until nothing is left, or until trouble says to wait.

Nothing here sleeps or reads the network: it awaits a carrier, and returns how long to rest. So a week without a
collector is a loop over rests.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

import msgspec

from mektep_agent.clock import TimeSource
from mektep_agent.outbox.parcel import Queued, Rejection
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.uplink.backoff import Backoff
from mektep_agent.uplink.carrier import Carrier, Carriers, Consignment, Renewal, RenewalOutcome
from mektep_agent.uplink.clock_comparison import ClockComparison, compare, true_now
from mektep_agent.uplink.rest import Rest, RestReason
from mektep_agent.uplink.verdict import Accepted, Barred, Later, Poisoned, Revoked, TooLarge, judge, problem_in
from mektep_wire import MAX_BATCH_READINGS, FateOutcome, Receipt, new_uuid7

_LOG = logging.getLogger(__name__)
MAX_PARCEL_BYTES = 262_144
BARRED_REST_S = 3_600.0
REVOKED_REST_S = 86_400.0
RENEWAL_PAUSE_S = 3_600.0
"""At least so long from one try to renew the token to the next, whatever came of it."""
_MAX_SUSPECTS_COUNT = 8
_MEAN_OF_A_DATE = timedelta(seconds=0.5)  # HTTP's Date is cut to whole seconds
DELIVERY_NOTE = "delivery"
CLOCK_NOTE = "clock"


class DeliveryNote(msgspec.Struct, frozen=True, kw_only=True):
    """The last success, kept for `mektep-agent status`."""

    delivered_at: datetime
    assignment_version: int


@dataclass
class _Session:
    """One opening of a carrier, from the first parcel to the rest."""

    carrier: Carrier
    suspects: list[Rejection] = field(default_factory=list)
    accepted_count: int = 0
    next_after_s: float | None = None
    epoch: str = ""
    assignment_version: int = 0


class Delivery:
    """Sends what waits in the outbox. One call of `deliver` at a time."""

    def __init__(
        self, outbox: ThreadedOutbox, carriers: Carriers, time: TimeSource, random: Random, boot_id: str
    ) -> None:
        self._outbox = outbox
        self._carriers = carriers
        self._time = time
        self._random = random
        self._boot_id = boot_id
        self._backoff = Backoff(random)
        self._most_count = MAX_BATCH_READINGS
        self._renewal_from_s = float("-inf")
        self.comparison: ClockComparison | None = None

    async def deliver(self, assignment_version: int) -> Rest:
        """Send all that waits, fetch a newer assignment, renew a token that is due. Raises CarrierError.

        Returns how long to rest and why.

        `assignment_version` is the one in force, 0 for none: then one is asked for even if nothing waits.
        """
        parcel = await self._outbox.parcel(1, MAX_PARCEL_BYTES)
        if not parcel.queued and assignment_version:
            return Rest(RestReason.NOTHING_WAITS)
        self._most_count = min(self._most_count * 2, MAX_BATCH_READINGS)
        async with self._carriers() as carrier:
            session = _Session(carrier)
            rest = await self._drain(session)
            if rest.reason is not RestReason.DELIVERED:
                return rest
            if session.assignment_version > assignment_version or not assignment_version:
                rest = msgspec.structs.replace(rest, news=await carrier.fetch_assignment(assignment_version))
            return msgspec.structs.replace(rest, renewal=await self._renewal(carrier))

    async def _renewal(self, carrier: Carrier) -> Renewal | None:
        """Have the token renewed if it is due, whose age only the collector's clock tells; None where it is not."""
        now_s = self._time.monotonic_s()
        if self.comparison is None or now_s < self._renewal_from_s:
            return None
        renewal = await carrier.renew_token(true_now(self.comparison, self._time))
        if renewal.outcome is RenewalOutcome.NOT_DUE:
            return None
        self._renewal_from_s = now_s + RENEWAL_PAUSE_S
        return renewal

    async def _drain(self, session: _Session) -> Rest:
        """Offer parcel after parcel, each beyond the last; what a receipt does not name waits for the next session."""
        after_seq = 0
        while True:
            # After an outage one reading goes ahead, before the whole backlog is put on a link that may be down still.
            most_count = 1 if self._backoff.failures_count else self._most_count
            parcel = await self._outbox.parcel(most_count, MAX_PARCEL_BYTES, after_seq)
            if not parcel.queued or (session.epoch and parcel.epoch != session.epoch):
                return await self._finished(session)
            session.epoch = parcel.epoch
            rest = await self._offer(session, parcel.queued)
            if rest is not None:
                await self._bury_suspects(session)
                return rest
            after_seq = parcel.queued[-1].seq

    async def _offer(self, session: _Session, queued: Sequence[Queued]) -> Rest | None:
        """Send `queued` as one batch, or in halves where it must be; return a rest where the session must end."""
        batch_id = new_uuid7(self._time.now(), self._random)
        answer = await session.carrier.send(
            Consignment(batch_id=batch_id, boot_id=self._boot_id, readings=[msgspec.Raw(one.payload) for one in queued])
        )
        verdict = judge(answer, batch_id, len(queued))
        if self.comparison is None and answer.server_at is not None and problem_in(answer) is not None:
            self.comparison = compare(answer, answer.server_at + _MEAN_OF_A_DATE, self._boot_id)
        match verdict:
            case Accepted(receipt):
                self.comparison = compare(answer, receipt.received_at, self._boot_id)
                return await self._settle(session, receipt, queued)
            case TooLarge() | Poisoned() if len(queued) > 1:
                half = len(queued) // 2
                if isinstance(verdict, TooLarge):
                    self._most_count = half
                return await self._offer(session, queued[:half]) or await self._offer(session, queued[half:])
            case TooLarge(reason):
                return self._suspect(session, Rejection(queued[0].seq, "$", reason))
            case Poisoned(field, reason):
                return self._suspect(session, Rejection(queued[0].seq, field, reason))
            case Later(reason, after_s):
                wait_s = self._backoff.next_s() if after_s is None else self._backoff.asked_s(after_s)
                return Rest(RestReason.TROUBLE, wait_s=wait_s, detail=reason)
            case Barred(reason):
                self._backoff.next_s()
                return Rest(RestReason.BARRED, wait_s=self._random.uniform(0.9, 1.1) * BARRED_REST_S, detail=reason)
            case Revoked(reason):
                self._backoff.next_s()
                return Rest(RestReason.REVOKED, wait_s=REVOKED_REST_S, detail=reason)

    async def _settle(self, session: _Session, receipt: Receipt, queued: Sequence[Queued]) -> Rest | None:
        accepted = [queued[fate.index].seq for fate in receipt.fates if fate.outcome is not FateOutcome.REJECTED]
        rejected = [
            Rejection(queued[fate.index].seq, fate.field or "$", fate.reason or "no reason was given")
            for fate in receipt.fates
            if fate.outcome is FateOutcome.REJECTED
        ]
        note = DeliveryNote(delivered_at=receipt.received_at, assignment_version=receipt.assignment_version)
        notes = {DELIVERY_NOTE: msgspec.json.encode(note), CLOCK_NOTE: msgspec.json.encode(self.comparison)}
        await self._outbox.settle(session.epoch, accepted, rejected, notes)
        session.assignment_version = receipt.assignment_version
        session.next_after_s = receipt.next_after_s
        _LOG.info(
            "batch_sent",
            extra={
                "batch_id": receipt.batch_id,
                "readings_count": len(queued),
                "accepted_count": len(accepted),
                "rejected_count": len(rejected),
            },
        )
        for one in rejected:
            _LOG.warning("reading_rejected", extra={"seq": one.seq, "field": one.field, "reason": one.reason})
        if not receipt.fates:
            return Rest(
                RestReason.TROUBLE, wait_s=self._backoff.next_s(), detail="the receipt names none of the readings"
            )
        session.accepted_count += len(accepted)
        self._backoff.succeed()
        return None

    def _suspect(self, session: _Session, one: Rejection) -> Rest | None:
        """Hold a reading that was refused alone. Only if the collector takes another one is the fault this one's."""
        session.suspects.append(one)
        if len(session.suspects) < _MAX_SUSPECTS_COUNT or session.accepted_count:
            return None
        self._backoff.next_s()
        return Rest(RestReason.BARRED, wait_s=BARRED_REST_S, detail=f"every reading is refused: {one.reason}")

    async def _bury_suspects(self, session: _Session) -> None:
        if not session.suspects or not session.accepted_count:
            return
        await self._outbox.settle(session.epoch, [], session.suspects)
        for one in session.suspects:
            _LOG.warning("reading_rejected", extra={"seq": one.seq, "field": one.field, "reason": one.reason})

    async def _finished(self, session: _Session) -> Rest:
        await self._bury_suspects(session)
        if session.suspects and not session.accepted_count:
            self._backoff.next_s()
            reason = f"every reading is refused: {session.suspects[0].reason}"
            return Rest(RestReason.BARRED, wait_s=BARRED_REST_S, detail=reason)
        return Rest(RestReason.DELIVERED, wait_s=session.next_after_s or 0.0)
