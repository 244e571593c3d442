"""What an assignment points at is contacted only where it may be, by every probe and every look it brings along."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mektep_agent.config import Config, LocalTargets
from mektep_agent.config.settings import MlabDataPolicy
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.kit import kit_of
from mektep_agent.identity.address import PlainHttp
from mektep_agent.identity.device import Device, store_device
from mektep_agent.probes.path import GATEWAY_TARGET
from mektep_agent.probes.probe import Run
from mektep_wire import Assignment, FailureKind, ProbeName, Reading, Target, Trigger
from tests.support.school_assignment import school

RUN = Run(trigger=Trigger.SLOT, boot_id="00000000-0000-4000-8000-000000000001", slot="2026-11-23/1")
NEVER_ENROLLED_AT = "192.0.2.1"


class Neighbour:
    """A program of this computer that an assignment points at: it notes who knocks, and hangs up."""

    def __init__(self) -> None:
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.knocks: list[str] = []

    @property
    def server(self) -> str:
        return f"127.0.0.1:{self.tcp.getsockname()[1]}"

    @property
    def echo(self) -> str:
        return f"127.0.0.1:{self.udp.getsockname()[1]}"

    def take_connections(self) -> None:
        with suppress(OSError):
            while True:
                self.tcp.accept()[0].close()
                self.knocks.append("tcp")

    def take_datagrams(self) -> None:
        with suppress(OSError):
            while self.udp.recv(2_048):
                self.knocks.append("udp")

    def close(self) -> None:
        with suppress(OSError):
            self.tcp.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self.udp.shutdown(socket.SHUT_RDWR)
        self.tcp.close()
        self.udp.close()


@pytest.fixture
def neighbour() -> Iterator[Neighbour]:
    made = Neighbour()
    threads = [threading.Thread(target=take) for take in (made.take_connections, made.take_datagrams)]
    for thread in threads:
        thread.start()
    yield made
    made.close()
    for thread in threads:
        thread.join(10)


def assignment(neighbour: Neighbour, throughput: str = "ws") -> Assignment:
    address = f"{throughput}://{neighbour.server}{'/v2/nearest/ndt/ndt7' if throughput.startswith('http') else ''}"
    return school(
        targets=[
            Target(probe=ProbeName.THROUGHPUT, address=address),
            Target(probe=ProbeName.LATENCY, address=f"udp://{neighbour.echo}"),
            Target(probe=ProbeName.PATH, address=f"tcp://{neighbour.server}"),
            Target(probe=ProbeName.PLATFORM, address=f"https://{neighbour.server}/"),
        ]
    )


def enrolled_at(folder: StateFolder, address: str) -> None:
    folder.make()
    store_device(
        folder,
        Device(
            device_id="00000000-0000-4000-8000-000000000007",
            token="mkd_x",
            private_key=bytes(32),
            collector_url="https://collector.invalid",
            collector_public_key=bytes(32),
            plain_http=PlainHttp.REFUSED,
            school_name="Example school",
            enrolled_at=datetime(2026, 9, 1, tzinfo=UTC),
            collector_address=address,
        ),
    )


def everything(asked: Assignment, folder: StateFolder, config: Config) -> Sequence[Reading]:
    """Run every probe of an assignment, its looks, its heart and what looks for causes beside; return the readings."""

    async def run() -> Sequence[Reading]:
        kit = kit_of(asked, folder, config)
        readings = [reading for probe in kit.probes.values() for reading in await probe.run(RUN)]
        for look in kit.looks.values():
            await look()
        assert kit.heart is not None
        await kit.heart.locator.learn(0.5)
        await kit.heart.locator.look(0.5)
        assert kit.witness is not None
        async with kit.witness.lookout.beside(ProbeName.THROUGHPUT):
            await asyncio.sleep(0.3)
        return readings

    return asyncio.run(run())


@pytest.mark.parametrize("setting", [LocalTargets.REFUSED, LocalTargets.INTRANET])
def test_nothing_of_this_computer_is_contacted_and_each_reading_says_what_to_do(
    neighbour: Neighbour, tmp_path: Path, setting: LocalTargets
) -> None:
    folder = StateFolder(tmp_path)
    enrolled_at(folder, NEVER_ENROLLED_AT)
    readings = everything(assignment(neighbour), folder, Config(local_targets=setting))
    assert neighbour.knocks == []
    assert {reading.probe for reading in readings} == set(ProbeName) - {ProbeName.OUTAGE}
    looked_at = [one for one in readings if one.target != GATEWAY_TARGET and not one.target.startswith("dns:")]
    for reading in looked_at:
        assert reading.failure is not None, reading
        assert reading.failure.kind is FailureKind.ENGINE_UNAVAILABLE
        assert "not contacted" in reading.failure.detail
        assert "ask the collector's operator" in reading.failure.detail


def test_locate_is_asked_only_where_it_may_be(neighbour: Neighbour, tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    enrolled_at(folder, NEVER_ENROLLED_AT)
    config = Config(mlab_data_policy=MlabDataPolicy.ACCEPTED)
    probe = kit_of(assignment(neighbour, "http"), folder, config).probes[ProbeName.THROUGHPUT]
    readings = asyncio.run(probe.run(RUN))
    assert neighbour.knocks == []
    assert {one.failure.kind for one in readings if one.failure} == {FailureKind.ENGINE_UNAVAILABLE}


@pytest.mark.parametrize(
    ("setting", "collector"), [(LocalTargets.REFUSED, "127.0.0.1"), (LocalTargets.ALLOWED, NEVER_ENROLLED_AT)]
)
def test_the_collector_of_the_enrolment_is_measured_and_what_the_setting_allows(
    neighbour: Neighbour, tmp_path: Path, setting: LocalTargets, collector: str
) -> None:
    folder = StateFolder(tmp_path)
    enrolled_at(folder, collector)
    readings = everything(assignment(neighbour), folder, Config(local_targets=setting))
    assert set(neighbour.knocks) == {"tcp", "udp"}
    assert FailureKind.ENGINE_UNAVAILABLE not in {
        one.failure.kind for one in readings if one.failure and one.target != GATEWAY_TARGET
    }
