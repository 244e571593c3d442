"""The collector at work: every part opened, joined, run until told to end, closed so that nothing is lost."""

import asyncio
import logging
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import SystemRandom

import msgspec
import uvicorn
from fastapi import APIRouter
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from mektep_collector.api.audience import Audience
from mektep_collector.api.connection_bounds import MAX_CONNECTIONS, BoundedConnection
from mektep_collector.api.door import OpenDoor, PeopleDoor
from mektep_collector.api.handing_on import HandingOn
from mektep_collector.api.health import Check
from mektep_collector.api.metrics import new_metrics, show
from mektep_collector.app import Parts, create_app
from mektep_collector.cli.addresses import check_exposure, measuring_points, public_url
from mektep_collector.cli.browser_test import browser_test_url
from mektep_collector.cli.collector_id import collector_id
from mektep_collector.cli.file_limit import allow_files
from mektep_collector.cli.fleet_keeper import PAUSE_S
from mektep_collector.cli.fleet_process import FleetProcess
from mektep_collector.cli.measure_process import MeasureProcess
from mektep_collector.cli.opened_store import OpenedStore, open_store
from mektep_collector.cli.page_source import RegisterAndStore, learning_of
from mektep_collector.clock import SystemTime, TimeSource
from mektep_collector.config import Config, MeasureServer, PagesFor
from mektep_collector.config.registry_url import registry_url
from mektep_collector.config.secret_file import read_metrics_token
from mektep_collector.jobs.feed import Feeder
from mektep_collector.jobs.memory import settle_memory
from mektep_collector.jobs.retain import retain
from mektep_collector.jobs.rounds import Rounds
from mektep_collector.journal.journal import Journal
from mektep_collector.registry.error import RegistryAway
from mektep_collector.registry.homes import Home
from mektep_collector.registry.people import PersonStatus
from mektep_collector.registry.registry import Registry, open_registry
from mektep_collector.registry.zones import SchoolZones
from mektep_dashboards.pages import create_pages

_LOG = logging.getLogger(__name__)
_BACKLOG_COUNT = 2_048
_RETAINING_PAUSE_S = 3_600.0
_SEEN_PAUSE_S = 60.0
_GRACE_S = 5
_LAG_LIMIT_ENTRIES = 20_000
_PROBE_BYTES = 4_096
_OTHER_FILES_COUNT = 1_024
_SWITCH_S = 0.000_5
"""A request waits so long for each thread that makes a page; Python's own 5 ms are felt when many batches come."""


class ListenError(Exception):
    """The address cannot be listened on; the message says why and what to do."""


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """The line that says that everything is open, and where."""

    event: str = "collector_ready"
    collector: str
    host: str
    port: int
    ndt7: str | None
    echo: str | None


async def serve(config: Config, announce: Callable[[Serving], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` is called once everything is open.

    Raises ConfigError, ListenError, and what the parts raise that cannot be opened.
    """
    check_exposure(config)
    sys.setswitchinterval(_SWITCH_S)
    connections_count = max(1, allow_files(MAX_CONNECTIONS + _OTHER_FILES_COUNT) - _OTHER_FILES_COUNT)
    learning = learning_of(config)
    metrics_token = read_metrics_token(config.metrics_token_file)
    time, random = SystemTime(), SystemRandom()
    data = config.data_path()
    async with AsyncExitStack() as opened:
        listener = opened.enter_context(_listen(config))
        port = listener.getsockname()[1]
        public = public_url(config, port)
        overlap = timedelta(hours=config.token_overlap_h)
        registry = open_registry(data, time, random, url=registry_url(config), token_overlap=overlap)
        opened.callback(registry.close)
        journal = Journal(data / "journal")
        opened.callback(journal.close)
        at_work = open_store(config, SchoolZones(registry.schools, time).zone_of, time, opened)
        store = at_work.store
        audience = Audience()
        feeder = Feeder(journal, store, random, audience.waits)
        measure = MeasureProcess(config, config.measure_bind or config.host)
        opened.push_async_callback(measure.stop)
        ready = await measure.start() if config.measure_server is MeasureServer.OWN else None
        points = measuring_points(config, ready, public)
        metrics = new_metrics()
        retaining = Rounds(
            lambda: retain(journal, store, config.retention(), time.now()), "old_data_not_let_go", _RETAINING_PAUSE_S
        )
        _show_gauges(metrics, journal, at_work, feeder, retaining)
        elsewhere = None
        if config.peer_url:
            own = Home(collector_id(data), config.peer_url.rstrip("/"))
            elsewhere = HandingOn(registry.homes(own, time, journal.device_ids()))
            opened.callback(elsewhere.close)
        door = _door(config, registry, time)
        further = _oidc_pages(config, public, door, registry, time, opened)
        fleet_process = FleetProcess(config)
        opened.callback(fleet_process.stop)
        source = RegisterAndStore(registry, store, time, learning, fleet_process)
        renewing = Rounds(source.keeper.run_round, "fleet_document_not_made", PAUSE_S)
        app = create_app(
            Parts(
                config=config,
                registry=registry,
                journal=journal,
                points=points,
                checks=_checks(data, feeder, measure if ready else None),
                metrics=metrics,
                time=time,
                elsewhere=elsewhere,
                door=door,
                metrics_token=metrics_token,
                audience=audience,
            ),
            [create_pages(source, door, browser_test_url(config, ready, public)), *further],
        )
        serving = Serving(collector=public, host=config.host, port=port, ndt7=points.ndt7_url, echo=points.echo_url)
        server = _Server(_uvicorn_config(config, app, connections_count), lambda: announce(serving))
        seen = Rounds(registry.senders.write_seen, "seen_not_written", _SEEN_PAUSE_S)
        jobs = [seen.run, retaining.run, renewing.run, *at_work.jobs]
        beside = [feeder.run(), *(job() for job in jobs)]
        if ready:
            beside.append(measure.keep())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in beside]
            _stop_on_signals(server)
            settle_memory()
            await server.serve(sockets=[listener])
            for task in tasks:
                task.cancel()
        _write_seen(registry)
    _LOG.info("collector_ended")


def _write_seen(registry: Registry) -> None:
    """Write down for the last time who was seen. Where that cannot be done it is no fault of this collector's end."""
    try:
        registry.senders.write_seen()
    except RegistryAway as error:
        _LOG.warning("seen_not_written", extra={"reason": str(error)})


def _door(config: Config, registry: Registry, time: TimeSource) -> OpenDoor | PeopleDoor:
    if config.pages_for is PagesFor.EVERYONE:
        return OpenDoor()
    if not any(person.status is PersonStatus.ACTIVE for person in registry.people.all()):
        _LOG.warning("nobody_can_log_in", extra={"advice": "mektep-collector people add LOGIN --role administrator"})
    idle, lifetime = timedelta(minutes=config.session_idle_min), timedelta(hours=config.session_max_h)
    return PeopleDoor(registry.people, registry.sessions, time, idle, lifetime, config.oidc_name.strip())


def _oidc_pages(
    config: Config,
    public: str,
    door: OpenDoor | PeopleDoor,
    registry: Registry,
    time: TimeSource,
    opened: AsyncExitStack,
) -> Sequence[APIRouter]:
    if not config.oidc_issuer or isinstance(door, OpenDoor):
        return ()
    from mektep_collector.cli.oidc import oidc_pages

    return [oidc_pages(config, public, door, registry, time, opened)]


class _Server(uvicorn.Server):
    """uvicorn, which leaves signals to us and says when it listens."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._started = started

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._started()


def _stop_on_signals(server: uvicorn.Server) -> None:
    loop = asyncio.get_running_loop()

    def stop(told: signal.Signals) -> None:
        _LOG.info("told_to_end", extra={"signal": told.name})
        server.should_exit = True

    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, stop, told)


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=_BACKLOG_COUNT)
    except OSError as error:
        raise ListenError(
            f"{config.host}, port {config.port} cannot be listened on: {error.strerror or error}; "
            "choose another with --host and --port, or stop what listens there"
        ) from error


def _uvicorn_config(config: Config, app: ASGIApp, connections_count: int) -> uvicorn.Config:
    class Connection(BoundedConnection):
        max_connections = connections_count

    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.trusted_proxies),
        forwarded_allow_ips=list(config.trusted_proxies),
        ssl_certfile=config.tls_cert or None,
        ssl_keyfile=config.tls_key or None,
        timeout_graceful_shutdown=_GRACE_S,
    )


def _checks(data: Path, feeder: Feeder, measure: MeasureProcess | None) -> Mapping[str, Check]:
    checks: dict[str, Check] = {
        "journal": lambda: _disk_obstacle(data / "journal"),
        "store": lambda: _feed_obstacle(feeder),
    }
    if measure is not None:
        checks["measure_server"] = measure.obstacle
    return checks


def _disk_obstacle(directory: Path) -> str | None:
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
    except OSError as error:
        return f"{directory} cannot be written: {error.strerror or error}"
    return None


def _feed_obstacle(feeder: Feeder) -> str | None:
    lag = feeder.lag()
    if feeder.failures_count() and lag:
        return f"the store is not being fed and lacks {lag} entries"
    if lag > _LAG_LIMIT_ENTRIES:
        return f"the store lags {lag} entries behind the journal"
    return None


def _show_gauges(
    metrics: CollectorRegistry, journal: Journal, at_work: OpenedStore, feeder: Feeder, retaining: Rounds
) -> None:
    counts, store = journal.counts, at_work.store
    show(
        metrics,
        {
            "mektep_journal_position": ("Entries that the journal holds.", lambda: float(journal.position())),
            "mektep_journal_stored_readings": (
                "Readings stored since the start.",
                lambda: float(counts().stored_count),
            ),
            "mektep_journal_duplicate_readings": (
                "Readings that came again since the start.",
                lambda: float(counts().duplicate_count),
            ),
            "mektep_journal_rejected_readings": (
                "Readings refused since the start.",
                lambda: float(counts().rejected_count),
            ),
            "mektep_journal_commits": ("Commits since the start.", lambda: float(counts().commit_count)),
            "mektep_journal_failed_commits": (
                "Commits that failed since the start.",
                lambda: float(counts().failed_commit_count),
            ),
            "mektep_store_lag_entries": ("Entries that the store has yet to take in.", lambda: float(feeder.lag())),
            "mektep_store_feed_failures": (
                "Failures to feed the store, in a row.",
                lambda: float(feeder.failures_count()),
            ),
            "mektep_store_readings": ("Readings that the store holds.", lambda: float(store.count())),
            "mektep_store_quarantined_readings": (
                "Readings without a time that can be trusted.",
                lambda: float(store.count_quarantined()),
            ),
            "mektep_retention_failures": (
                "Failures to let go of what need not be kept any longer, in a row.",
                lambda: float(retaining.failures_count()),
            ),
            **at_work.gauges,
        },
    )
