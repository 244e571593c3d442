"""The collector's acceptance alone, as a process of its own: journal and POST /v1/readings under uvicorn.

`python -m tests.support.acceptance_server DIRECTORY DEVICES.json` listens on a free port of 127.0.0.1, writes the
port to DIRECTORY/port when it is ready, and ends at SIGTERM. With `--feed` it feeds the embedded store as well, with
`--influxdb-port` one in InfluxDB too.
"""

import argparse
import asyncio
import json
import signal
import socket
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from mektep_collector.api.attempt_limit import AttemptLimit
from mektep_collector.api.bearer import Senders
from mektep_collector.api.hot_route import HotRoute
from mektep_collector.api.metrics import CountedRequests, new_metrics
from mektep_collector.api.problems import install_problem_handlers
from mektep_collector.api.readings import PATH, Acceptance, create_readings_router, readings_endpoint
from mektep_collector.api.security_headers import SecurityHeaders
from mektep_collector.clock import SystemTime, TimeSource
from mektep_collector.jobs.feed import Feeder
from mektep_collector.jobs.memory import settle_memory
from mektep_collector.journal.checkpoint import LOG_LIMIT_PAGES
from mektep_collector.journal.journal import Journal
from mektep_collector.registry.error import SenderRevoked, SenderUnknown
from mektep_collector.registry.records import Device, DeviceStatus
from mektep_collector.store.embedded import EmbeddedStore
from mektep_collector.store.influx import Address, InfluxStore
from mektep_collector.store.store import Store
from tests.support.school_device import SchoolDevice

_BURST_COUNT = 10**9
"""What stands around asks of one device what thousands send: the limit is looked at, and never reached."""


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


def create_acceptance_app(senders: Senders, journal: Acceptance, clock: TimeSource) -> ASGIApp:
    """Return the app of one route, with all that stands around it in the collector."""
    app = FastAPI()
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


async def _serve(directory: Path, devices: Path, log_limit_pages: int, influxdb_port: int, *, feed: bool) -> None:
    journal = Journal(directory / "journal", log_limit_pages)
    app = create_acceptance_app(_read_devices(devices), journal, SystemTime())
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
            settle_memory()
            if feed:
                await _serve_and_feed(server, listener, journal, _stores(directory, influxdb_port))
            else:
                await server.serve([listener])
    finally:
        journal.close()


def in_influxdb(port: int, directory: Path) -> InfluxStore:
    """Return the store in InfluxDB that belongs to a directory."""
    address = Address(f"http://127.0.0.1:{port}", directory.as_posix().replace("/", "_"))
    return InfluxStore(address, directory / "store-influxdb", lambda _school_id: ZoneInfo("Asia/Almaty"))


def _stores(directory: Path, influxdb_port: int) -> list[Store]:
    stores: list[Store] = [EmbeddedStore(directory / "store", lambda _school_id: ZoneInfo("Asia/Almaty"))]
    if influxdb_port:
        stores.append(in_influxdb(influxdb_port, directory))
    return stores


async def _serve_and_feed(
    server: uvicorn.Server, listener: socket.socket, journal: Journal, stores: Sequence[Store]
) -> None:
    try:
        feeding = [asyncio.create_task(Feeder(journal, store, Random(0)).run()) for store in stores]
        await server.serve([listener])
        for task in feeding:
            task.cancel()
        await asyncio.wait(feeding)
    finally:
        for store in stores:
            store.close()


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("devices", type=Path)
    parser.add_argument("--feed", action="store_true")
    parser.add_argument("--log-limit-pages", type=int, default=LOG_LIMIT_PAGES)
    parser.add_argument("--influxdb-port", type=int, default=0)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvicorn.Config("", loop="uvloop").get_loop_factory()) as runner:
        runner.run(
            _serve(
                arguments.directory,
                arguments.devices,
                arguments.log_limit_pages,
                arguments.influxdb_port,
                feed=arguments.feed,
            )
        )


if __name__ == "__main__":
    main()
