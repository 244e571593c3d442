"""POST and DELETE /v1/leases: a device asks for its school's line before a test, and gives it back after."""

import math
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.bearer import Senders, sender_of
from mektep_collector.api.body import receive_body
from mektep_collector.api.described import DEVICE_TOKEN, REGISTER_AWAY, problem_response, wire_content
from mektep_collector.api.lease_desk import LeaseDesk
from mektep_collector.api.networks import network_of
from mektep_collector.api.problems import ProblemError
from mektep_collector.clock import TimeSource
from mektep_wire import LeaseEnd, LeaseRequest, ProblemKind, WireError, decode, encode, is_identifier
from mektep_wire.identifier import IDENTIFIER_PATTERN

_MAX_REQUEST_BYTES = 1_024
_NO_CONTENT = 204
_BURST_COUNT = 30
_INTERVAL_S = 10.0
# Described for who calls, and checked below: the framework's own refusals are no problems as the rest of them are.
_DescribedLease = Annotated[str, Path(json_schema_extra={"pattern": IDENTIFIER_PATTERN})]
_DescribedEnd = Annotated[str, Query(json_schema_extra={"enum": [end.value for end in LeaseEnd]})]


def create_leases_router(senders: Senders, desk: LeaseDesk, time: TimeSource) -> APIRouter:
    """Return the routes. How often a device may ask is counted in this process."""
    router = APIRouter(tags=["devices"])
    by_device = AttemptLimit(_BURST_COUNT, _INTERVAL_S, time)

    async def post_leases(request: Request) -> Response:
        device = sender_of(request, senders)
        _take(by_device, device.id)
        body = await receive_body(request, _MAX_REQUEST_BYTES)
        try:
            asked = decode(LeaseRequest, body.plain(_MAX_REQUEST_BYTES))
        except WireError as error:
            raise ProblemError(
                ProblemKind.MALFORMED if error.field == "$" else ProblemKind.INVALID_FIELD,
                f"the request cannot be read: {error.reason}",
                field=error.field,
                advice="send a LeaseRequest as /openapi.json has it",
            ) from None
        answer = desk.ask(device.school_id, _network(request), device.id, asked.for_s)
        return Response(encode(answer), media_type="application/json", headers={"Cache-Control": "no-store"})

    async def delete_lease(
        request: Request, lease_id: _DescribedLease, end: _DescribedEnd = LeaseEnd.NOT_MEASURED.value
    ) -> Response:
        device = sender_of(request, senders)
        _take(by_device, device.id)
        if not is_identifier(lease_id) or end not in set(LeaseEnd):
            raise ProblemError(
                ProblemKind.INVALID_FIELD,
                "a lease is named by its UUID, and its end is `measured` or `not_measured`",
                field="end" if is_identifier(lease_id) else "lease_id",
                advice="give back what POST /v1/leases granted",
            )
        desk.end(device.school_id, _network(request), lease_id, device.id, LeaseEnd(end))
        return Response(status_code=_NO_CONTENT)

    refused: dict[int | str, dict[str, Any]] = {
        401: problem_response("The token opens nothing"),
        403: problem_response("The device was revoked"),
        422: problem_response("A field is invalid"),
        429: problem_response("Too many requests; Retry-After says when to try again"),
        503: problem_response(REGISTER_AWAY),
    }
    router.add_api_route(
        "/v1/leases",
        post_leases,
        methods=["POST"],
        summary="Ask for the school's line before a throughput test",
        description=(
            "One device of a school at a time fills its line. The line is told by the school and the network that the "
            "request comes from. `other_prober` says when the other's lease ends at the latest: ask again then. A "
            "lease that is not given back ends by itself."
        ),
        response_class=Response,
        responses={
            200: {
                "description": "The line is granted, or another device has it",
                "content": wire_content("LeaseAnswer"),
            },
            400: problem_response("The body cannot be read or decompressed"),
            408: problem_response("The body came too slowly"),
            413: problem_response("The body is too large for a request"),
            415: problem_response("Neither gzip nor identity"),
            **refused,
        },
        openapi_extra={
            "security": DEVICE_TOKEN,
            "requestBody": {"required": True, "content": wire_content("LeaseRequest")},
        },
    )
    router.add_api_route(
        "/v1/leases/{lease_id}",
        delete_lease,
        methods=["DELETE"],
        status_code=_NO_CONTENT,
        summary="Give the school's line back",
        description="A lease that has ended already, or is another device's, is let be; the answer is the same.",
        response_class=Response,
        responses={204: {"description": "The device has the line no longer"}, **refused},
        openapi_extra={"security": DEVICE_TOKEN},
    )
    return router


def _network(request: Request) -> str:
    return network_of(request.client.host if request.client else "")


def _take(limit: AttemptLimit, device_id: str) -> None:
    wait_s = math.ceil(limit.wait_s(device_id))
    if wait_s:
        raise ProblemError(
            ProblemKind.TOO_MANY_REQUESTS,
            "this device asked too often",
            advice=f"try again in {wait_s} s",
            headers={"Retry-After": str(wait_s)},
        )
