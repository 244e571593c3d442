"""The collector's acceptance alone, as a process of its own: journal and POST /v1/readings under uvicorn.

`python -m tests.support.acceptance_server DIRECTORY DEVICES.json` listens on a free port of 127.0.0.1, writes the
port to DIRECTORY/port when it is ready, and ends at SIGTERM. With `--feed` it feeds the embedded store as well, with
`--influxdb-port` one in InfluxDB too. With `--readings-a-day` a day passes with every so many readings, and days that
are over are closed. At SIGUSR1 it writes what memory it has to DIRECTORY/memory.json, at SIGUSR2 after trimming it.
"""

import argparse
import asyncio
import json
import signal
import socket
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.bearer import Senders
from mektep_collector.api.hot_route import HotRoute
from mektep_collector.api.metrics import CountedRequests, new_metrics
from mektep_collector.api.problems import install_problem_handlers
from mektep_collector.api.readings import PATH, Acceptance, create_readings_router, readings_endpoint
from mektep_collector.api.security_headers import SecurityHeaders
from mektep_collector.clock import SystemTime, TimeSource
from mektep_collector.jobs.close_days import close_due_days
from mektep_collector.jobs.feed import Feeder
from mektep_collector.jobs.memory import settle_memory
from mektep_collector.jobs.rounds import Rounds
from mektep_collector.journal.checkpoint import LOG_LIMIT_PAGES
from mektep_collector.journal.journal import Journal
from mektep_collector.registry.error import SenderRevoked, SenderUnknown
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_collector.store.embedded import ClosingProcess, EmbeddedStore
from mektep_collector.store.influx import Address, InfluxStore
from mektep_collector.store.store import Store
from tests.support.load_clock import LoadClock
from tests.support.memory_told import tell_memory
from tests.support.school_device import SchoolDevice

_BURST_COUNT = 10**9
"""What stands around asks of one device what thousands send: the limit is looked at, and never reached."""
_CLOSING_PAUSE_S = 1.0
_SWITCH_S = 0.000_5
"""As `serve` has it: so long the thread that answers waits for the one that feeds."""


class KnownSenders:
    """Senders in memory."""

    def __init__(self, devices: Iterable[tuple[str, Device]]) -> None:
        self._devices = dict(devices)

    def authenticate(self, token: str) -> Device:
        device = self._devices.get(token)
        if device is None:
            raise SenderUnknown("this token opens nothing")
        if device.status is DeviceStatus.REVOKED:
            raise SenderRevoked("the device was revoked")
        return device


def create_acceptance_app(
    senders: Senders, journal: Acceptance, clock: TimeSource, further: Sequence[APIRouter] = ()
) -> ASGIApp:
    """Return the app of one route, and `further` ones, with all that stands around them in the collector."""
    app = FastAPI()
    for router in further:
        app.include_router(router)
    accept = readings_endpoint(senders, journal, clock, AttemptLimit(_BURST_COUNT, 1e-6, clock))
    app.include_router(create_readings_router(accept))
    install_problem_handlers(app)
    answering = HotRoute(app, method="POST", path=PATH, endpoint=accept)
    return CountedRequests(SecurityHeaders(answering), new_metrics(), clock)


def write_devices(path: Path, devices: Iterable[SchoolDevice]) -> None:
    """Write what the process must know of the devices."""
    path.write_text(
        json.dumps(
            [
                {
                    "token": device.token,
                    "id": device.record.id,
                    "school_id": device.record.school_id,
                    "public_key": b64encode(device.record.public_key).decode(),
                    "enrolled_at": device.record.enrolled_at.isoformat(),
                }
                for device in devices
            ]
        ),
        "utf-8",
    )


def _read_devices(path: Path) -> KnownSenders:
    return KnownSenders(
        (
            row["token"],
            Device(
                id=row["id"],
                school_id=row["school_id"],
                public_key=b64decode(row["public_key"]),
                status=DeviceStatus.ACTIVE,
                enrolled_at=datetime.fromisoformat(row["enrolled_at"]),
                agent_version="0.1.0",
                platform="linux",
            ),
        )
        for row in json.loads(path.read_text("utf-8"))
    )


class _Server(uvicorn.Server):
    """A server that ends at SIGTERM and lets what stands around it close: uvicorn's own would kill the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._leave)
        yield

    def _leave(self) -> None:
        self.should_exit = True


async def _serve(given: argparse.Namespace) -> None:
    sys.setswitchinterval(_SWITCH_S)
    directory: Path = given.directory
    journal = Journal(directory / "journal", given.log_limit_pages)
    clock = _clock(lambda: journal.counts().stored_count, given.readings_a_day)
    app = create_acceptance_app(_read_devices(given.devices), journal, clock)
    server = _Server(
        uvicorn.Config(
            app,
            http="httptools",
            loop="uvloop",
            access_log=False,
            log_level="warning",
            lifespan="off",
            proxy_headers=False,
        )
    )
    try:
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
            port = directory / "port.new"
            port.write_text(str(listener.getsockname()[1]), "utf-8")
            port.rename(directory / "port")
            _tell_memory_on_signals(directory / "memory.json")
            settle_memory()
            if given.feed:
                await _serve_and_feed(server, listener, journal, given)
            else:
                await server.serve([listener])
    finally:
        journal.close()


def in_influxdb(port: int, directory: Path) -> InfluxStore:
    """Return the store in InfluxDB that belongs to a directory."""
    address = Address(f"http://127.0.0.1:{port}", directory.as_posix().replace("/", "_"))
    return InfluxStore(address, directory / "store-influxdb", lambda _school_id: ZoneInfo("Asia/Almaty"))


async def _serve_and_feed(
    server: uvicorn.Server, listener: socket.socket, journal: Journal, given: argparse.Namespace
) -> None:
    closer = ClosingProcess()
    embedded = EmbeddedStore(given.directory / "store", lambda _school_id: ZoneInfo("Asia/Almaty"), closer)
    stores: list[Store] = [embedded]
    if given.influxdb_port:
        stores.append(in_influxdb(given.influxdb_port, given.directory))
    jobs = [Feeder(journal, store, Random(0)).run for store in stores]
    if given.readings_a_day:
        # By what the store holds, which follows what the journal holds within hours of that clock.
        clock = _clock(embedded.count, given.readings_a_day)
        jobs.append(Rounds(lambda: close_due_days(embedded, clock.now()), "days_not_closed", _CLOSING_PAUSE_S).run)
    try:
        beside = [asyncio.create_task(job()) for job in jobs]
        await server.serve([listener])
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
    finally:
        closer.stop()
        for store in stores:
            store.close()


def _clock(taken_count: Callable[[], int], readings_a_day: int) -> TimeSource:
    return LoadClock(taken_count, readings_a_day) if readings_a_day else SystemTime()


def _tell_memory_on_signals(path: Path) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, partial(tell_memory, path, trim=False))
    loop.add_signal_handler(signal.SIGUSR2, partial(tell_memory, path, trim=True))


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("devices", type=Path)
    parser.add_argument("--feed", action="store_true")
    parser.add_argument("--log-limit-pages", type=int, default=LOG_LIMIT_PAGES)
    parser.add_argument("--influxdb-port", type=int, default=0)
    parser.add_argument("--readings-a-day", type=int, default=0)
    with asyncio.Runner(loop_factory=uvicorn.Config("", loop="uvloop").get_loop_factory()) as runner:
        runner.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
