"""GET /metrics: what the collector counts, in the text form of Prometheus, base units, every series from the start."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mektep_collector.api.described import problem_response
from mektep_collector.api.metrics_door import check_metrics_reader
from mektep_collector.clock import TimeSource
from mektep_wire import VERSION

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_NO_ROUTE = "none"

Seen = tuple[str, Callable[[], float]]
"""What a gauge means, and how to read it."""


def new_metrics() -> CollectorRegistry:
    """Return the metrics of one app: of the process and of the program's version, ready for more."""
    metrics = CollectorRegistry()
    ProcessCollector(registry=metrics)
    Info("mektep_collector_build", "The program.", registry=metrics).info({"version": VERSION})
    return metrics


def show(metrics: CollectorRegistry, gauges: Mapping[str, Seen]) -> None:
    """Add gauges that are read anew at each look, by their names."""
    for name, (meaning, read) in gauges.items():
        Gauge(name, meaning, registry=metrics).set_function(read)


def create_metrics_router(metrics: CollectorRegistry, token: str = "") -> APIRouter:
    """Return the route. Beyond this computer it answers who bears `token`; nobody where that is empty."""
    router = APIRouter(tags=["operation"])

    def get_metrics(request: Request) -> Response:
        check_metrics_reader(request, token)
        return Response(
            generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
        )

    router.add_api_route(
        "/metrics",
        get_metrics,
        methods=["GET"],
        summary="Show the collector's metrics",
        response_class=Response,
        responses={
            200: {"description": "Text form of Prometheus", "content": {"text/plain": {}}},
            401: problem_response("Asked from elsewhere without the operator's token"),
        },
    )
    return router


class CountedRequests:
    """Counts the requests of an app and how long they took, by route, never by address: addresses are without end."""

    def __init__(self, app: ASGIApp, metrics: CollectorRegistry, time: TimeSource) -> None:
        self._app = app
        self._time = time
        self._found: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._count = Counter(
            "mektep_http_requests", "Requests answered.", ["method", "route", "status"], registry=metrics
        )
        self._seconds = Histogram(
            "mektep_http_request_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=metrics
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through and count its answer; one that breaks off counts as 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = self._time.monotonic_s()
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            route = getattr(scope.get("route"), "path", _NO_ROUTE)
            method = scope["method"] if route != _NO_ROUTE else "any"
            count, seconds = self._of(method, route, status)
            count.inc()
            seconds.observe(self._time.monotonic_s() - began_s)

    def _of(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Return a series' counter and its route's histogram; finding them by their labels costs more than counting."""
        found = self._found.get((method, route, status))
        if found is None:
            found = self._count.labels(method, route, str(status)), self._seconds.labels(route)
            self._found[(method, route, status)] = found
        return found
