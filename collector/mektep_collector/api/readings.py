"""POST /v1/readings: what an agent measured comes in here, and the receipt says what became of each reading.

The order of the checks is part of the promise: who sends is known and the signature checked before a byte is inflated,
and `stored` is said only when it is on disk. Whatever may be put right later on the same readings (token, signature, a
busy disk) is answered so that the agent keeps them.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from math import ceil
from typing import Protocol

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.bearer import ENROL_ANEW, Senders, sender_of
from mektep_collector.api.body import receive_body
from mektep_collector.api.described import DEVICE_TOKEN, problem_response, wire_content
from mektep_collector.api.hot_route import Endpoint
from mektep_collector.api.problems import ProblemError, unavailable
from mektep_collector.api.signed import SIGNATURE_PARAMETER, checked_signature
from mektep_collector.api.turns import Turns
from mektep_collector.clock import TimeSource
from mektep_collector.journal.error import JournalBusyError, JournalError
from mektep_collector.journal.submission import OtherDeviceError, Submission, open_submission
from mektep_collector.registry.error import RegistryAway
from mektep_collector.registry.records import Device
from mektep_wire import ProblemKind, Purpose, Receipt, WireError, encode
from mektep_wire.batch import MAX_BATCH_BYTES, MAX_BODY_BYTES

_LOG = logging.getLogger(__name__)
PATH = "/v1/readings"


class Acceptance(Protocol):
    """Where submissions become durable: the journal."""

    async def accept(self, submission: Submission) -> Receipt:
        """Return the receipt once everything that it calls stored is on disk; raises JournalError."""
        ...


class Elsewhere(Protocol):
    """Whoever hands batches on to the collector that a device belongs to."""

    async def answer_elsewhere(self, request: Request, device: Device, body: bytes) -> Response | None:
        """Return that collector's answer, None where it is this one; raises ProblemError and RegistryAway."""
        ...


def readings_endpoint(
    senders: Senders,
    journal: Acceptance,
    clock: TimeSource,
    by_device: AttemptLimit,
    assignment_version: Callable[[Device], int] = lambda _device: 0,
    elsewhere: Elsewhere | None = None,
    has_audience: Callable[[], bool] = lambda: False,
) -> Endpoint:
    """Return what answers the route; it raises ProblemError and whatever `receive_body` does.

    `by_device` says how often one device may send. `assignment_version` tells, in the receipt, whether a new assignment
    waits for a device; in a crowd none is looked for, and the device hears of it next time. `elsewhere` answers for
    devices whose readings another collector has. While `has_audience`, batches make room for who waits for a page.
    """

    turns = Turns(has_audience)

    async def post_readings(request: Request) -> Response:
        received_at = clock.now()
        crowd_s = turns.wait_s(asyncio.get_running_loop().time())
        if crowd_s:
            raise _too_many(crowd_s)
        with turns.visit():
            await turns.take()
            return await answered(request, received_at)

    async def answered(request: Request, received_at: datetime) -> Response:
        device = sender_of(request, senders)
        wait_s = by_device.wait_s(device.id)
        if wait_s:
            raise _too_often(wait_s)
        body = await receive_body(request, MAX_BODY_BYTES)
        await turns.take()
        signature = checked_signature(request, device, Purpose.BATCH, body.sent)
        if elsewhere is not None:
            try:
                answer = await elsewhere.answer_elsewhere(request, device, body.sent)
            except RegistryAway as error:
                raise unavailable(str(error)) from None
            if answer is not None:
                return answer
        try:
            submission = open_submission(device, body.plain(MAX_BATCH_BYTES), body.sent, signature, received_at)
        except WireError as error:
            raise _unreadable(error) from None
        except OtherDeviceError as error:
            raise ProblemError(ProblemKind.OTHER_DEVICE, str(error), advice=ENROL_ANEW, field="$.device_id") from None
        try:
            receipt = await journal.accept(submission)
        except JournalBusyError as error:
            raise unavailable(str(error)) from None
        except JournalError as error:
            _LOG.error("batch_not_kept", extra={"batch_id": submission.batch_id, "reason": str(error)})
            raise unavailable("the collector cannot write to its journal at the moment") from None
        version = 0 if turns.is_crowded() else assignment_version(device)
        if version:
            receipt = msgspec.structs.replace(receipt, assignment_version=version)
        return Response(encode(receipt), media_type="application/json")

    return post_readings


def create_readings_router(endpoint: Endpoint) -> APIRouter:
    """Return the route with its description."""
    router = APIRouter(tags=["readings"])
    router.add_api_route(
        PATH,
        endpoint,
        methods=["POST"],
        summary="Deliver a signed batch of readings",
        description=__doc__,
        response_class=Response,
        responses=_RESPONSES,
        openapi_extra=_REQUEST,
    )
    return router


def _too_often(wait_s: float) -> ProblemError:
    return ProblemError(
        ProblemKind.TOO_MANY_REQUESTS,
        "this device sends batch after batch without a pause",
        advice="keep the readings, wait as long as Retry-After says, and put more of them into one batch",
        headers={"Retry-After": str(ceil(wait_s))},
    )


def _too_many(wait_s: float) -> ProblemError:
    return ProblemError(
        ProblemKind.TOO_MANY_REQUESTS,
        "more devices send at once than can be answered soon",
        advice="keep the readings and come back as late as Retry-After says, and up to as long again, drawn at random",
        headers={"Retry-After": str(ceil(wait_s))},
    )


def _unreadable(error: WireError) -> ProblemError:
    whole = error.field == "$"
    return ProblemError(
        ProblemKind.MALFORMED if whole else ProblemKind.INVALID_FIELD,
        f"the batch cannot be read: {error.reason}",
        field=error.field,
        advice="send a batch as the schema Batch in /openapi.json has it",
    )


_RESPONSES: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The fate of each reading; what is called stored is on disk",
        "content": wire_content("Receipt"),
    },
    400: problem_response("The body cannot be read or decompressed"),
    401: problem_response("The token opens nothing; keep the readings"),
    403: problem_response("Revoked, wrongly signed, or another device's batch; keep the readings"),
    408: problem_response("The body came too slowly"),
    413: problem_response("Too large; send fewer readings in one batch"),
    415: problem_response("Neither gzip nor identity"),
    422: problem_response("A field of the batch itself is invalid"),
    429: problem_response("One device sends too often, or too many at once; Retry-After says when to go on"),
    503: problem_response("Cannot be kept at the moment; Retry-After says when to try again"),
}

_REQUEST: dict[str, object] = {
    "security": DEVICE_TOKEN,
    "parameters": [
        SIGNATURE_PARAMETER,
        {
            "name": "Content-Encoding",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "enum": ["gzip", "identity"]},
        },
    ],
    "requestBody": {
        "required": True,
        "content": wire_content("Batch"),
    },
}
