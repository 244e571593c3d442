"""A simulated fleet delivers: all devices at once, each its batches in order, by the protocol that agents follow.

A device that is told to wait (429, 503) waits as long as it is told and up to as long again, drawn at random (full
jitter), so that a herd does not come back in step. A connection that breaks is tried again, after pauses that grow.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from random import Random
from typing import Final

import httpx
import msgspec

from mektep_collector.simulate.batch import SignedBody
from mektep_wire import FateOutcome, Receipt, WireError, decode
from mektep_wire.signature import SIGNATURE_HEADER

_DEADLINE_S: Final = 60.0
_REACH_S: Final = 10.0
_TRIES_COUNT: Final = 60
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_BUSY: Final = frozenset({429, 503})

Sleep = Callable[[float], Awaitable[None]]


class DeliveryError(Exception):
    """A batch that the collector takes by no means; the message says what it answered."""


class Tally(msgspec.Struct):
    """What came of a delivery so far. `answers` counts the answers by status, 0 for a connection that broke.

    `untold_count` of those that were told to wait were not told for how long.
    """

    batches_count: int = 0
    stored_count: int = 0
    duplicate_count: int = 0
    rejected_count: int = 0
    untold_count: int = 0
    sent_bytes: int = 0
    answers: Counter[int] = msgspec.field(default_factory=Counter)


class Sender(msgspec.Struct, frozen=True):
    """One device on the wire: its token, and its batches as they are asked for."""

    token: str
    bodies: Iterable[SignedBody]


async def deliver(
    url: str,
    senders: Iterable[Sender],
    connections_count: int,
    random: Random,
    progress: Callable[[Tally], None],
    sleep: Sleep = asyncio.sleep,
    tally: Tally | None = None,
) -> Tally:
    """Send all that the devices have to the collector at `url`, over so many connections at once.

    `progress` is told after each batch; it counts on from `tally` where there is one. Raises DeliveryError for what is
    refused for good, or not taken in many tries.
    """
    tally = Tally() if tally is None else tally
    waiting: Iterator[Sender] = iter(senders)
    trust = ssl.create_default_context()

    async def work() -> None:
        # A client each, as at schools: one client's pool looks through all its connections for every request.
        async with httpx.AsyncClient(base_url=url, verify=trust, timeout=_DEADLINE_S, trust_env=False) as client:
            for sender in waiting:
                for body in sender.bodies:
                    await _send(client, sender.token, body, tally, random, sleep)
                    progress(tally)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(connections_count):
                group.create_task(work())
    except ExceptionGroup as errors:
        refused, bugs = errors.split(DeliveryError)
        if refused is None or bugs is not None:
            raise
        raise refused.exceptions[0] from None
    return tally


async def check_reach(url: str) -> None:
    """Ask whether a collector is at `url` and ready to take readings in. Raises DeliveryError."""
    try:
        async with httpx.AsyncClient(verify=ssl.create_default_context(), timeout=_REACH_S, trust_env=False) as client:
            answer = await client.get(f"{url.rstrip('/')}/health/ready")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DeliveryError(f"no collector answers at {url}: {error!r}") from error
    if answer.status_code != httpx.codes.OK:
        raise DeliveryError(f"no collector is ready at {url}: {answer.status_code}: {answer.text[:300]}")


async def _send(
    client: httpx.AsyncClient, token: str, body: SignedBody, tally: Tally, random: Random, sleep: Sleep
) -> None:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
        SIGNATURE_HEADER: body.signature,
    }
    said = "nothing"
    for attempt in range(_TRIES_COUNT):
        try:
            answer = await client.post("/v1/readings", content=body.body, headers=headers)
        except httpx.TransportError as error:
            said = f"no answer: {error!r}"
            tally.answers[0] += 1
            await sleep(random.uniform(0.0, min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**attempt)))
            continue
        tally.answers[answer.status_code] += 1
        said = f"{answer.status_code}: {answer.text[:300]}"
        if answer.status_code in _BUSY:
            told_s = _told_s(answer)
            tally.untold_count += told_s is None
            await sleep((told_s or _FIRST_PAUSE_S) * (1.0 + random.random()))
            continue
        if answer.status_code != httpx.codes.OK:
            break
        _count(tally, body, answer)
        return
    raise DeliveryError(f"the collector does not take a batch of {body.readings_count} readings: {said}")


def _told_s(answer: httpx.Response) -> float | None:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else None


def _count(tally: Tally, body: SignedBody, answer: httpx.Response) -> None:
    try:
        receipt = decode(Receipt, answer.content)
    except WireError as error:
        raise DeliveryError(f"what answers is no collector: {error}") from error
    fates = Counter(fate.outcome for fate in receipt.fates)
    if fates.total() != body.readings_count:
        raise DeliveryError(f"a receipt names {fates.total()} readings of {body.readings_count}")
    tally.batches_count += 1
    tally.stored_count += fates[FateOutcome.STORED]
    tally.duplicate_count += fates[FateOutcome.DUPLICATE]
    tally.rejected_count += fates[FateOutcome.REJECTED]
    tally.sent_bytes += len(body.body)
