"""When to send: at the device's own place in the interval, at once after a throughput test, later after trouble."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from random import Random

import msgspec

from mektep_agent.daemon.known_time import KnownTime
from mektep_agent.outbox.threaded import ThreadedOutbox
from mektep_agent.schedule.slots import phase_s
from mektep_agent.uplink.carrier import CarrierError, News, NewsOutcome, Renewal, RenewalOutcome
from mektep_agent.uplink.delivery import Delivery
from mektep_agent.uplink.rest import Rest, RestReason
from mektep_wire import Assignment

_LOG = logging.getLogger(__name__)
REST_NOTE = "rest"
_FIRST_SPREAD_S = 60.0
_DEFAULT_INTERVAL_S = 900.0
_NO_ASSIGNMENT_S = 120.0
_NOTABLE_STEP_S = 1.0


class RestNote(msgspec.Struct, frozen=True, kw_only=True):
    """How the last sending ended, kept for `mektep-agent status` whenever that changes."""

    reason: RestReason
    detail: str
    at: datetime


class Delivering:
    """The loop around `Delivery`. `on_step` hears of steps of the known time, `on_adopted` of a new assignment.

    Good deliveries are at least `least_interval_s` apart, but for nudges.
    """

    def __init__(
        self,
        delivery: Delivery,
        outbox: ThreadedOutbox,
        time: KnownTime,
        random: Random,
        *,
        on_step: Callable[[float], None],
        on_adopted: Callable[[], None],
    ) -> None:
        self._delivery = delivery
        self._outbox = outbox
        self._time = time
        self._random = random
        self._on_step = on_step
        self._on_adopted = on_adopted
        self._nudged = asyncio.Event()
        self._last_reason: RestReason | None = None
        self.assignment: Assignment | None = None
        self.least_interval_s = 0.0

    @property
    def is_revoked(self) -> bool:
        """Whether the collector took this device off its list: then nobody wants measurements of it."""
        return self._last_reason is RestReason.REVOKED

    def nudge(self) -> None:
        """Send soon: there is something that people wait for. It does not shorten a rest after trouble."""
        self._nudged.set()

    async def run(self) -> None:
        """Send for ever."""
        if self.assignment is not None:
            # After a power cut a whole district comes up at once.
            await self._nudge_within(self._random.uniform(0.0, _FIRST_SPREAD_S))
        while True:
            rest = await self.deliver_once()
            await self._wait(rest)

    async def deliver_once(self) -> Rest:
        """Send what waits; say how it went in the log, and return the rest that is due."""
        version = self.assignment.version if self.assignment is not None else 0
        try:
            rest = await self._delivery.deliver(version)
        except (CarrierError, OSError):
            # The supervisor's part for the courier's process: told with its traceback, tried again.
            _LOG.exception("courier_failed")
            rest = Rest(RestReason.TROUBLE, wait_s=_DEFAULT_INTERVAL_S, detail="the courier failed; see the log")
        is_first = not self._time.is_compared and self._delivery.comparison is not None
        step_s = self._time.learn(self._delivery.comparison)
        if is_first or abs(step_s) > _NOTABLE_STEP_S:
            _LOG.info("clock_compared", extra={"offset_s": self._time.clock().offset_s, "step_s": round(step_s, 3)})
        if is_first or step_s:
            self._on_step(step_s)
        await self._tell(rest)
        return rest

    async def _tell(self, rest: Rest) -> None:
        extra = {"reason": rest.reason.value, "detail": rest.detail or None, "wait_s": round(rest.wait_s, 1)}
        if rest.reason is RestReason.REVOKED:
            _LOG.error("device_revoked", extra={**extra, "advice": "enrol again: mektep-agent enrol URL --code CODE"})
        elif rest.reason is RestReason.BARRED:
            _LOG.warning("batch_refused", extra=extra)
        elif rest.reason is RestReason.TROUBLE:
            _LOG.info("batch_not_sent", extra=extra)
        if rest.news is not None:
            self._tell_news(rest.news)
        if rest.renewal is not None:
            self._tell_renewal(rest.renewal)
        if rest.reason is not self._last_reason and rest.reason is not RestReason.NOTHING_WAITS:
            self._last_reason = rest.reason
            note = RestNote(reason=rest.reason, detail=rest.detail, at=self._time.now())
            await self._outbox.keep_note(REST_NOTE, msgspec.json.encode(note))

    def _tell_news(self, news: News) -> None:
        extra = {"version": news.version or None, "detail": news.detail or None}
        if news.outcome is NewsOutcome.ADOPTED:
            _LOG.info("assignment_adopted", extra=extra)
            self._on_adopted()
        elif news.outcome is NewsOutcome.REFUSED:
            _LOG.error("assignment_refused", extra=extra)
        elif news.outcome is NewsOutcome.UNREACHED:
            _LOG.info("assignment_not_fetched", extra=extra)

    def _tell_renewal(self, renewal: Renewal) -> None:
        if renewal.outcome is RenewalOutcome.RENEWED:
            _LOG.info("token_renewed")
            return
        extra = {"outcome": renewal.outcome.value, "detail": renewal.detail or None}
        _LOG.warning("token_not_renewed", extra=extra)

    async def _wait(self, rest: Rest) -> None:
        if rest.reason in {RestReason.DELIVERED, RestReason.NOTHING_WAITS}:
            if self.assignment is None and (rest.news is None or rest.news.outcome is not NewsOutcome.ADOPTED):
                await asyncio.sleep(max(rest.wait_s, self._random.uniform(0.5, 1.5) * _NO_ASSIGNMENT_S))
                return
            await asyncio.sleep(rest.wait_s)
            await self._nudge_within(max(self._to_next_s(), self.least_interval_s))
        else:
            await asyncio.sleep(rest.wait_s)

    async def _nudge_within(self, wait_s: float) -> None:
        """Wait for a nudge, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._nudged.wait()
        self._nudged.clear()

    def _to_next_s(self) -> float:
        """Return the seconds to the device's next place in the interval."""
        if self.assignment is None:
            return _DEFAULT_INTERVAL_S
        interval_s = self.assignment.send_interval_s
        phase = phase_s(self.assignment.device_id, "send", interval_s)
        return interval_s - (self._time.now().timestamp() - phase) % interval_s
