"""The collector's HTTP application, composed from parts that are handed in: nothing here is global."""

from collections.abc import Mapping, Sequence
from random import SystemRandom

import msgspec
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from mektep_collector.api.assignment import create_assignment_router
from mektep_collector.api.assignment_content import MeasuringPoints
from mektep_collector.api.assignment_desk import AssignmentDesk
from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.audience import Attended, Audience
from mektep_collector.api.documentation import create_documentation_router
from mektep_collector.api.door import OpenDoor
from mektep_collector.api.enrolments import create_enrolments_router
from mektep_collector.api.entrance import Door, Entrance
from mektep_collector.api.health import Check, create_health_router
from mektep_collector.api.hot_route import Endpoint, HotRoute
from mektep_collector.api.lease_desk import LeaseDesk
from mektep_collector.api.leases import create_leases_router
from mektep_collector.api.metrics import CountedRequests, create_metrics_router
from mektep_collector.api.problems import install_problem_handlers
from mektep_collector.api.readings import PATH as READINGS
from mektep_collector.api.readings import Acceptance, Elsewhere, create_readings_router, readings_endpoint
from mektep_collector.api.security_headers import SecurityHeaders
from mektep_collector.api.tokens import create_tokens_router
from mektep_collector.clock import TimeSource
from mektep_collector.config import Config
from mektep_collector.registry.registry import Registry
from mektep_wire import VERSION

_BATCHES_BURST_COUNT = 300
_BATCHES_INTERVAL_S = 2.0
"""A device's whole outbox of 64 MiB goes at once; 250 readings a second after that are more than it can make."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the application works with. Who made them closes them, after the application has ended."""

    config: Config
    registry: Registry
    journal: Acceptance
    points: MeasuringPoints
    checks: Mapping[str, Check]
    metrics: CollectorRegistry
    time: TimeSource
    elsewhere: Elsewhere | None = None
    """What hands batches on, where several collectors share the register."""
    door: Door = OpenDoor()
    """What lets people see pages."""
    metrics_token: str = ""
    """What shows the metrics beyond this computer; empty: nothing does."""
    audience: Audience = msgspec.field(default_factory=Audience)
    """Who waits for a page."""


def create_app(parts: Parts, further: Sequence[APIRouter] = ()) -> ASGIApp:
    """Return the application: the interface for agents, health, metrics, documentation, and `further` routers."""
    desk = _desk(parts)
    limit = AttemptLimit(_BATCHES_BURST_COUNT, _BATCHES_INTERVAL_S, parts.time)
    accept = readings_endpoint(
        parts.registry.senders, parts.journal, parts.time, limit, desk.version, parts.elsewhere, parts.audience.waits
    )
    behind = Entrance(_interface(parts, desk, accept, further), parts.door)
    answering = HotRoute(Attended(behind, parts.audience), method="POST", path=READINGS, endpoint=accept)
    return CountedRequests(SecurityHeaders(answering), metrics=parts.metrics, time=parts.time)


def create_interface(parts: Parts) -> FastAPI:
    """Return the interface alone, as who describes it needs it."""
    desk = _desk(parts)
    limit = AttemptLimit(_BATCHES_BURST_COUNT, _BATCHES_INTERVAL_S, parts.time)
    return _interface(parts, desk, readings_endpoint(parts.registry.senders, parts.journal, parts.time, limit), ())


def _desk(parts: Parts) -> AssignmentDesk:
    return AssignmentDesk(parts.registry, parts.points, parts.config, parts.time)


def _interface(parts: Parts, desk: AssignmentDesk, accept: Endpoint, further: Sequence[APIRouter]) -> FastAPI:
    app = FastAPI(title="Mektep Meter", version=VERSION, openapi_url=None, docs_url=None, redoc_url=None)
    senders = parts.registry.senders
    routers = (
        create_enrolments_router(parts.registry, desk, parts.time, parts.metrics),
        create_assignment_router(senders, desk),
        create_leases_router(senders, LeaseDesk(parts.time, SystemRandom()), parts.time),
        create_tokens_router(parts.registry, parts.time, parts.metrics),
        create_readings_router(accept),
        create_health_router(parts.checks),
        create_metrics_router(parts.metrics, parts.metrics_token),
        create_documentation_router(app),
        *further,
    )
    for router in routers:
        app.include_router(router)
    install_problem_handlers(app)
    return app
