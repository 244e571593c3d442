"""GET /health/live and /health/ready: whether the process runs, and whether it can do its work."""

from collections.abc import Callable, Mapping

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from mektep_collector.api.described import problem_response
from mektep_collector.api.problems import ProblemError
from mektep_wire import ProblemKind

Check = Callable[[], str | None]
"""Returns what stands in the way, None for nothing. May block for the time of one write to the disk."""

_RETRY_AFTER_S = "10"
_STATUS_CONTENT = {"application/json": {"schema": {"type": "object", "properties": {"status": {"type": "string"}}}}}


def create_health_router(checks: Mapping[str, Check]) -> APIRouter:
    """Return the routes. It is ready when no check names an obstacle."""
    router = APIRouter(tags=["operation"])

    async def live() -> Response:
        return _json({"status": "live"})

    def ready() -> Response:
        obstacles = {name: check() for name, check in checks.items()}
        found = "; ".join(f"{name}: {obstacle}" for name, obstacle in obstacles.items() if obstacle is not None)
        if found:
            raise ProblemError(
                ProblemKind.UNAVAILABLE,
                found,
                advice="see the collector's log; what was accepted is safe, and agents keep the rest",
                headers={"Retry-After": _RETRY_AFTER_S, "Cache-Control": "no-store"},
            )
        return _json({"status": "ready", "checks": dict.fromkeys(checks, "ok")})

    router.add_api_route(
        "/health/live",
        live,
        methods=["GET"],
        summary="Tell that the process runs",
        response_class=Response,
        responses={200: {"description": "It runs", "content": _STATUS_CONTENT}},
    )
    router.add_api_route(
        "/health/ready",
        ready,
        methods=["GET"],
        summary="Tell whether it can do its work",
        response_class=Response,
        responses={
            200: {"description": "Everything is in order", "content": _STATUS_CONTENT},
            503: problem_response("Something stands in the way; `detail` names it"),
        },
    )
    return router


def _json(content: Mapping[str, object]) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(content), media_type="application/json", headers=headers)
