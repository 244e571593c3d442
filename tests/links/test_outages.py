"""The whole agent on a line that fails at each of its parts: one record an outage, its true times and its cause."""

import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.vigil import VIGIL_NOTE
from mektep_agent.outbox.queue import Outbox
from mektep_agent.probes.outage.record import reading_of
from mektep_agent.probes.outage.restart import Memory
from mektep_wire import Clock, Metric, OutageCause, ProbeName, Reading, Target, decode
from tests.support.agent_program import PROGRAM, Agent, until_logged
from tests.support.fake_collector import CODE, FakeCollector, fake_collector
from tests.support.inside_host import inside
from tests.support.links import Laboratory, laboratory, symmetric
from tests.support.name_server import NameServer, name_server

pytestmark = [pytest.mark.rights, pytest.mark.slow, pytest.mark.alone]

PERIOD_S = 1.0
LATE_S = 1.0
"""What a busy machine may add."""
NAME = "measure.example"
BEAT = symmetric(20, 10)


class School:
    """A school's computer behind a gateway and a provider, with a server and somebody else out there."""

    def __init__(self, lab: Laboratory, collector: FakeCollector, names: NameServer, place: Path) -> None:
        self.lab = lab
        self.collector = collector
        self.names = names
        self.agent = Agent(
            place / "state", startup_delay_max_s="86400", heartbeat_interval_s=str(PERIOD_S), local_targets="intranet"
        )
        self._boot_id = place / "boot_id"
        self.boot()

    def boot(self) -> None:
        """Give the computer the id of another boot."""
        self._boot_id.write_text(f"{random.getrandbits(32):08x}-0000-4000-8000-000000000000\n", "ascii")

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """Keep the agent going for the block."""
        bound = f"mount --bind {self._boot_id} /proc/sys/kernel/random/boot_id && exec {PROGRAM} run --log-form json"
        process = self.lab.school.popen(
            ["unshare", "--mount", "sh", "-c", bound], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.agent.environment,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def untold(self) -> list[Reading]:
        """Return what waits for the time to be known, as it is told once a delivery has shown it; no agent may run."""
        with closing(self._outbox()) as kept:
            memory = msgspec.json.decode(kept.note(VIGIL_NOTE) or b"", type=Memory)
        known = msgspec.structs.replace(memory.alive, offset_s=0.0)
        return [reading_of(one, known, Clock(), "", random.Random(2), lambda *_: 0.0) for one in memory.waiting]

    def _outbox(self) -> Outbox:
        folder = StateFolder(self.agent.state)
        return Outbox(folder, SystemTime(), random.Random(1), max_bytes=10**8, ballast_bytes=0)

    def outages(self) -> list[Reading]:
        """Return all that was recorded, delivered or not, in the order of recording; no agent may run."""
        with closing(self._outbox()) as kept:
            waiting = [decode(Reading, one.payload) for one in kept.parcel(500, 10**8).queued]
        found = {(one.epoch, one.seq): one for one in (*self.collector.stored.values(), *waiting)}
        return [one for _, one in sorted(found.items()) if one.probe is ProbeName.OUTAGE]


@contextmanager
def _someone_else(lab: Laboratory) -> Iterator[Target]:
    """Have another host answer connections, with which the measuring server's absence can be told from the line's."""
    router = lab.hosts[2]
    with inside(router), socket.create_server((router.ipv4, 8000)):
        yield Target(probe=ProbeName.PATH, address=f"tcp://{router.ipv4}:8000")


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with ExitStack() as stack:
        lab = stack.enter_context(laboratory(BEAT, BEAT, BEAT))
        provider, server = lab.hosts[2], lab.server
        lab.school.ip("route", "add", "default", "via", "10.77.0.2")
        resolver = Path("/etc/netns") / lab.school.name
        resolver.mkdir(parents=True)
        stack.callback(resolver.rmdir)
        (resolver / "resolv.conf").write_text(f"nameserver {provider.ipv4}\n", "ascii")
        stack.callback((resolver / "resolv.conf").unlink)
        target = stack.enter_context(_someone_else(lab))
        with inside(provider):
            names = stack.enter_context(name_server(provider.ipv4, NAME, server.ipv4))
        with inside(server):
            collector = stack.enter_context(fake_collector(host=server.ipv4))
        echo = next(one.address for one in collector.assignment.targets if one.probe is ProbeName.LATENCY)
        collector.assignment = msgspec.structs.replace(
            collector.assignment,
            latency_interval_s=86_400.0,
            path_interval_s=86_400.0,
            targets=[
                Target(probe=ProbeName.THROUGHPUT, address=f"ws://{NAME}:9"),
                Target(probe=ProbeName.LATENCY, address=echo.replace(server.ipv4, NAME)),
                target,
            ],
        )
        made = School(lab, collector, names, tmp_path)
        done = lab.school.run(
            ["env", *(f"{name}={value}" for name, value in made.agent.environment.items()), str(PROGRAM), "enrol",
             collector.url, "--code", CODE, "--insecure-http"], check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield made


def ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(10)


def _staged(
    process: subprocess.Popen[str], down: Callable[[], object], up: Callable[[], object]
) -> tuple[float, float]:
    """Stage one outage that is seen to begin and to end; return when it truly did."""
    begin_s = time.time()
    down()
    until_logged(process, "outage_began")
    time.sleep(PERIOD_S)
    end_s = time.time()
    up()
    until_logged(process, "outage_recorded")
    return begin_s, end_s


def _holds(one: Reading, cause: OutageCause, begin_s: float, end_s: float) -> None:
    assert one.outage is not None
    assert one.outage.cause is cause
    begin = one.started_at.timestamp()
    end = begin + one.values[Metric.OUTAGE_DURATION_S]
    # Names are asked for with every fifth beat; how late that may be is in the record.
    late_s = LATE_S + (4 * PERIOD_S if cause is OutageCause.DNS else 0.0)
    assert begin_s - LATE_S <= begin <= begin_s + PERIOD_S + late_s
    assert begin - one.outage.begin_uncertainty_s <= begin_s + LATE_S
    assert end_s - LATE_S <= end <= end_s + PERIOD_S + LATE_S


def test_each_part_of_the_line_that_fails_is_one_outage_with_its_times_and_its_cause(school: School) -> None:
    links = school.lab.links

    def answering(is_answering: bool) -> Callable[[], None]:
        return lambda: setattr(school.names, "is_answering", is_answering)

    staged = {}
    with school.running() as process:
        until_logged(process, "line_watched")
        for cause, down, up in (
            (OutageCause.PROVIDER, links[1].cut, links[1].restore),
            (OutageCause.LAN, links[0].cut, links[0].restore),
            (OutageCause.SERVICE, links[2].cut, links[2].restore),
            (OutageCause.DNS, answering(False), answering(True)),
        ):
            staged[cause] = _staged(process, down, up)
    found = school.outages()
    assert [one.outage and one.outage.cause for one in found] == list(staged)
    for one, (cause, (begin_s, end_s)) in zip(found, staged.items(), strict=True):
        _holds(one, cause, begin_s, end_s)


def test_a_power_cut_is_told_from_the_providers_outage_before_it(school: School) -> None:
    with school.running() as process:
        until_logged(process, "line_watched")
        provider = _staged(process, school.lab.links[1].cut, school.lab.links[1].restore)
        process.kill()
        process.wait(5)
    cut_s = time.time()
    school.boot()
    with school.running() as process:
        begun_s = time.time()
        until_logged(process, "outage_ended")
        ended(process)
    (first,), (second,) = school.outages(), school.untold()
    _holds(first, OutageCause.PROVIDER, *provider)
    assert second.outage is not None
    assert (second.outage.cause, second.outage.boots_count) == (OutageCause.POWER, 2)
    end = second.started_at + timedelta(seconds=second.duration_s)
    assert second.started_at <= datetime.fromtimestamp(cut_s, UTC)
    assert abs(end.timestamp() - begun_s) < PERIOD_S + 2 * LATE_S


def test_an_outage_over_a_kill_and_another_boot_is_one(school: School) -> None:
    with school.running() as process:
        until_logged(process, "line_watched")
        begin_s = time.time()
        school.lab.links[1].cut()
        until_logged(process, "outage_began")
        process.kill()
        process.wait(5)
    school.boot()
    with school.running() as process:
        until_logged(process, "outage_goes_on")
        time.sleep(PERIOD_S)
        end_s = time.time()
        school.lab.links[1].restore()
        until_logged(process, "outage_ended")
        ended(process)
    (one,) = school.untold()
    _holds(one, OutageCause.PROVIDER, begin_s, end_s)
    assert one.outage is not None
    assert one.outage.boots_count == 2
