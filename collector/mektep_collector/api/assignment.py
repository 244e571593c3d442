"""GET /v1/assignment: what the collector asks of a device; unchanged since the version that the device has, 304."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mektep_collector.api.assignment_desk import AssignmentDesk
from mektep_collector.api.bearer import Senders, sender_of
from mektep_collector.api.described import DEVICE_TOKEN, REGISTER_AWAY, problem_response, wire_content
from mektep_wire import encode

_NOT_MODIFIED = 304


def create_assignment_router(senders: Senders, desk: AssignmentDesk) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["devices"])

    def get_assignment(request: Request) -> Response:
        issued = desk.issue(sender_of(request, senders))
        tag = f'"{issued.version}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=_NOT_MODIFIED, headers=headers)
        return Response(encode(issued.signed), media_type="application/json", headers=headers)

    router.add_api_route(
        "/v1/assignment",
        get_assignment,
        methods=["GET"],
        summary="Fetch the device's assignment, signed by the collector",
        description=(
            "The payload is an encoded `Assignment`, signed with the key that the device learnt when it was enrolled. "
            'The ETag is its version in quotes; with `If-None-Match: "<version>"` an unchanged one is a 304.'
        ),
        response_class=Response,
        responses={
            200: {"description": "The assignment in force", "content": wire_content("SignedAssignment")},
            304: {"description": "The device has it already"},
            401: problem_response("The token opens nothing"),
            403: problem_response("The device was revoked"),
            503: problem_response(REGISTER_AWAY),
        },
        openapi_extra={
            "security": DEVICE_TOKEN,
            "parameters": [
                {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}},
            ],
        },
    )
    return router


def _tags(header: str) -> set[str]:
    """Return the entity tags of If-None-Match (RFC 9110, 13.1.2): compared weakly, so the mark of weakness goes."""
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
