"""POST /v1/enrolments: a computer shows a join code and that it holds a key, and becomes a device of a school."""

import math
from collections.abc import Callable

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Counter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mektep_collector.api.assignment_desk import AssignmentDesk
from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.body import receive_body
from mektep_collector.api.described import REGISTER_AWAY, problem_response, wire_content
from mektep_collector.api.networks import site_of
from mektep_collector.api.problems import ProblemError
from mektep_collector.clock import TimeSource
from mektep_collector.registry.error import (
    CodeExpired,
    CodeSpent,
    CodeUnknown,
    EnrolledRevoked,
    EnrolmentError,
    ProofWrong,
    SchoolUnknown,
)
from mektep_collector.registry.registry import Registry
from mektep_wire import EnrolmentGrant, EnrolmentRequest, ProblemKind, WireError, decode, encode

_MAX_REQUEST_BYTES = 8_192
_CREATED = 201
_CODE_BURST_COUNT = 10
_CODE_INTERVAL_S = 10.0
_ADDRESS_BURST_COUNT = 60
_ADDRESS_INTERVAL_S = 1.0

_NEW_CODE = "ask the operator for a new code (`mektep-collector code new SCHOOL`)"
_REFUSALS: dict[type[EnrolmentError], tuple[ProblemKind, str]] = {
    ProofWrong: (
        ProblemKind.BAD_SIGNATURE,
        "sign the code with the key whose public half you send, for the purpose of enrolment",
    ),
    CodeUnknown: (ProblemKind.CODE_UNKNOWN, f"look at the code again, it is easily mistyped; else {_NEW_CODE}"),
    CodeExpired: (ProblemKind.CODE_EXPIRED, _NEW_CODE),
    CodeSpent: (ProblemKind.CODE_SPENT, f"a code is good for one computer; {_NEW_CODE}"),
    EnrolledRevoked: (ProblemKind.DEVICE_REVOKED, f"if it is to measure again, {_NEW_CODE}"),
}


def create_enrolments_router(
    registry: Registry, desk: AssignmentDesk, time: TimeSource, metrics: CollectorRegistry
) -> APIRouter:
    """Return the route. How often an address or a code may try is counted in this process."""
    router = APIRouter(tags=["devices"])
    by_address = AttemptLimit(_ADDRESS_BURST_COUNT, _ADDRESS_INTERVAL_S, time)
    by_code = AttemptLimit(_CODE_BURST_COUNT, _CODE_INTERVAL_S, time)
    count = _counter(metrics)

    async def post_enrolments(request: Request) -> Response:
        _take(by_address, site_of(request.client.host if request.client else ""), "this address", count)
        body = await receive_body(request, _MAX_REQUEST_BYTES)
        try:
            asked = decode(EnrolmentRequest, body.plain(_MAX_REQUEST_BYTES))
        except WireError as error:
            raise ProblemError(
                ProblemKind.MALFORMED if error.field == "$" else ProblemKind.INVALID_FIELD,
                f"the request cannot be read: {error.reason}",
                field=error.field,
                advice="send an EnrolmentRequest as /openapi.json has it; a code reads like abc123.0123456789abcdef",
            ) from None
        _take(by_code, asked.code.partition(".")[0], "this code", count)
        try:
            grant = await run_in_threadpool(_enrol, registry, desk, time, asked)
        except EnrolmentError as error:
            kind, advice = _REFUSALS[type(error)]
            count(kind.value)
            raise ProblemError(kind, str(error), advice=advice) from None
        count("enrolled")
        headers = {"Cache-Control": "no-store"}
        return Response(encode(grant), _CREATED, media_type="application/json", headers=headers)

    router.add_api_route(
        "/v1/enrolments",
        post_enrolments,
        methods=["POST"],
        status_code=_CREATED,
        summary="Make a computer a device of a school",
        description=(
            "`proof` is the Ed25519 signature over `mektep-meter/1/enrolment`, a line feed, and the code. A code is "
            "good once; the same code with the same key again gives the same device with a new token, for the first "
            "answer may have been lost."
        ),
        response_class=Response,
        responses={
            201: {
                "description": "The device, and its token, shown this once",
                "content": wire_content("EnrolmentGrant"),
            },
            400: problem_response("The body cannot be read or decompressed"),
            403: problem_response("The proof is wrong, or this computer's device was revoked"),
            404: problem_response("The code is unknown, mistyped, or was tried wrongly too often"),
            408: problem_response("The body came too slowly"),
            409: problem_response("Another computer used the code"),
            410: problem_response("The code has expired"),
            413: problem_response("The body is too large for an enrolment"),
            415: problem_response("Neither gzip nor identity"),
            422: problem_response("A field is invalid"),
            429: problem_response("Too many attempts; Retry-After says when to try again"),
            503: problem_response(REGISTER_AWAY),
        },
        openapi_extra={"requestBody": {"required": True, "content": wire_content("EnrolmentRequest")}},
    )
    return router


def _enrol(registry: Registry, desk: AssignmentDesk, time: TimeSource, asked: EnrolmentRequest) -> EnrolmentGrant:
    enrolled = registry.enrolment.enrol(asked, time.now())
    device = enrolled.device
    school = registry.schools.get(device.school_id)
    if school is None:
        raise SchoolUnknown(device.school_id)
    return EnrolmentGrant(
        device_id=device.id,
        token=enrolled.token,
        school_name=school.name,
        collector_public_key=registry.public_key,
        assignment=desk.issue(device).signed,
        enrolled_at=device.enrolled_at,
    )


def _take(limit: AttemptLimit, key: str, who: str, count: Callable[[str], None]) -> None:
    wait_s = math.ceil(limit.wait_s(key))
    if wait_s:
        count(ProblemKind.TOO_MANY_REQUESTS.value)
        raise ProblemError(
            ProblemKind.TOO_MANY_REQUESTS,
            f"{who} tried too often",
            advice=f"try again in {wait_s} s",
            headers={"Retry-After": str(wait_s)},
        )


def _counter(metrics: CollectorRegistry) -> Callable[[str], None]:
    counter = Counter("mektep_enrolments", "Enrolments by what came of them.", ["outcome"], registry=metrics)
    limited = ProblemKind.TOO_MANY_REQUESTS
    for outcome in ("enrolled", limited.value, *(kind.value for kind, _ in _REFUSALS.values())):
        counter.labels(outcome)
    return lambda outcome: counter.labels(outcome).inc()
