"""POST /v1/tokens: a device that has a token and its key is given a new token, before the old one ends."""

import math
from collections.abc import Callable

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Counter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.bearer import refused_senders, sender_of, token_of
from mektep_collector.api.body import receive_body
from mektep_collector.api.described import DEVICE_TOKEN, problem_response, wire_content
from mektep_collector.api.problems import ProblemError
from mektep_collector.api.signed import SIGNATURE_PARAMETER, checked_signature
from mektep_collector.clock import TimeSource
from mektep_collector.registry.error import RequestReplayed, RequestStale
from mektep_collector.registry.registry import Registry
from mektep_wire import ProblemKind, Purpose, TokenRequest, WireError, decode, encode

_MAX_REQUEST_BYTES = 1_024
_CREATED = 201
_BURST_COUNT = 5
_INTERVAL_S = 600.0
_ASK_ANEW = "make a new request, with the time of the collector's last answer and a new nonce"


def create_tokens_router(registry: Registry, time: TimeSource, metrics: CollectorRegistry) -> APIRouter:
    """Return the route. How often a device may ask is counted in this process."""
    router = APIRouter(tags=["devices"])
    by_device = AttemptLimit(_BURST_COUNT, _INTERVAL_S, time)
    count = _counter(metrics)

    async def post_tokens(request: Request) -> Response:
        token = token_of(request)
        device = sender_of(request, registry.senders)
        body = await receive_body(request, _MAX_REQUEST_BYTES)
        # What a stolen token without the key can do ends here: it does not even use up the device's own attempts.
        checked_signature(request, device, Purpose.TOKEN, body.sent)
        try:
            asked = decode(TokenRequest, body.plain(_MAX_REQUEST_BYTES))
        except WireError as error:
            raise ProblemError(
                ProblemKind.MALFORMED if error.field == "$" else ProblemKind.INVALID_FIELD,
                f"the request cannot be read: {error.reason}",
                field=error.field,
                advice="send a TokenRequest as /openapi.json has it",
            ) from None
        if asked.device_id != device.id:
            raise ProblemError(
                ProblemKind.OTHER_DEVICE,
                f"the token is of device {device.id}, the request of another",
                field="$.device_id",
                advice="ask for a device by its own token",
            )
        _take(by_device, device.id, count)
        try:
            with refused_senders():
                grant = await run_in_threadpool(registry.tokens.renew, token, asked)
        except RequestStale as error:
            count("stale")
            raise ProblemError(ProblemKind.INVALID_FIELD, str(error), field="$.asked_at", advice=_ASK_ANEW) from None
        except RequestReplayed as error:
            count(ProblemKind.REPLAYED.value)
            raise ProblemError(ProblemKind.REPLAYED, str(error), field="$.nonce", advice=_ASK_ANEW) from None
        count("renewed")
        headers = {"Cache-Control": "no-store"}
        return Response(encode(grant), _CREATED, media_type="application/json", headers=headers)

    router.add_api_route(
        "/v1/tokens",
        post_tokens,
        methods=["POST"],
        status_code=_CREATED,
        summary="Renew the device's token",
        description=(
            "Signed by the device's key over `mektep-meter/1/token`, a line feed, and the body's exact bytes. The "
            "token that asks stays good; once the new one was used, the earlier ones end after an overlap. If the "
            "answer is lost, ask again with a new nonce: the same request a second time gives nothing."
        ),
        response_class=Response,
        responses={
            201: {"description": "The new token, shown this once", "content": wire_content("TokenGrant")},
            400: problem_response("The body cannot be read or decompressed"),
            401: problem_response("The token opens nothing"),
            403: problem_response("Revoked, wrongly signed, or another device's request"),
            408: problem_response("The body came too slowly"),
            409: problem_response("A token was given for this request before"),
            413: problem_response("The body is too large for a request"),
            415: problem_response("Neither gzip nor identity"),
            422: problem_response("A field is invalid, or the request is not of this moment"),
            429: problem_response("Too many requests; Retry-After says when to try again"),
            503: problem_response("The register is away at the moment; Retry-After says when to try again"),
        },
        openapi_extra={
            "security": DEVICE_TOKEN,
            "parameters": [SIGNATURE_PARAMETER],
            "requestBody": {"required": True, "content": wire_content("TokenRequest")},
        },
    )
    return router


def _take(limit: AttemptLimit, device_id: str, count: Callable[[str], None]) -> None:
    wait_s = math.ceil(limit.wait_s(device_id))
    if wait_s:
        count(ProblemKind.TOO_MANY_REQUESTS.value)
        raise ProblemError(
            ProblemKind.TOO_MANY_REQUESTS,
            "this device asked too often",
            advice=f"keep the token that there is, and try again in {wait_s} s",
            headers={"Retry-After": str(wait_s)},
        )


def _counter(metrics: CollectorRegistry) -> Callable[[str], None]:
    counter = Counter(
        "mektep_token_renewals", "Signed requests for a new token by what came of them.", ["outcome"], registry=metrics
    )
    for outcome in ("renewed", "stale", ProblemKind.REPLAYED.value, ProblemKind.TOO_MANY_REQUESTS.value):
        counter.labels(outcome)
    return lambda outcome: counter.labels(outcome).inc()
