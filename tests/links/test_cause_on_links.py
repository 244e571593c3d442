"""Each cause staged: the school's computer, its router, the provider's router and the measuring server in a row.

The links between them are fast unless the stage says otherwise, and 50 Mbit/s are expected. Stages are played three at
a time, and one whose verdict is another than expected up to three times more by itself: where other programs have the
processor, that is a true cause too, and the one that is told first.
"""

import subprocess
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import msgspec
import pytest

from mektep_wire import Cause, CauseReason, Outcome, Reading
from tests.support.explained_run import READY
from tests.support.links import Host, Laboratory, Link, Shape, laboratory, symmetric
from tests.support.links.measuring import NDT7_PORT, Printed, measuring_server
from tests.support.links.patience import await_count
from tests.support.links.port import set_port_speed

pytestmark = [pytest.mark.rights, pytest.mark.slow, pytest.mark.slow_links]

EXPECTED_MBPS = 50.0
FAST = symmetric(200, 4)
SLOW = symmetric(15, 10)
LOSSY = Link(down=Shape(rate_mbps=15, delay_ms=2, loss_ratio=0.15), up=Shape(rate_mbps=15, delay_ms=2, loss_ratio=0.15))
RUN_TIMEOUT_S = 60
REPLAYS_COUNT = 3
OTHER_PORT = 8099
RADIO = "wlan0"


class Staged:
    """Four hosts in a row, a run that waits, and what may be done to them before it goes on."""

    def __init__(self, lab: Laboratory, process: subprocess.Popen[str]) -> None:
        self.lab = lab
        self._process = process

    def reading(self) -> Reading:
        """Let the run go on and return its reading."""
        output, messages = self._process.communicate("go\n", timeout=RUN_TIMEOUT_S)
        assert self._process.returncode == 0, messages
        (found,) = msgspec.json.decode(output, type=Printed).readings
        return found


def prepared(school: Host) -> None:
    school.ip("route", "add", "default", "via", "10.77.0.2")


def by_radio(school: Host) -> None:
    """Give the way to the router a radio's name, by which it is known."""
    for words in (("down",), ("name", RADIO), ("up",)):
        school.ip("link", "set", RADIO if words == ("up",) else "link0", *words)
    school.ip("address", "replace", "10.77.0.1/24", "dev", RADIO)
    prepared(school)


@contextmanager
def staged(
    *links: Link,
    prepare: Callable[[Host], None] = prepared,
    expected_mbps: float = EXPECTED_MBPS,
    port: int = NDT7_PORT,
) -> Generator[Staged]:
    with laboratory(*links) as lab, measuring_server(lab.server) as server:
        prepare(lab.school)
        provider = lab.hosts[2]
        provider.popen([sys.executable, "-m", "http.server", str(OTHER_PORT)])
        provider.await_listener(OTHER_PORT)
        asked = server.replace(f":{NDT7_PORT}", f":{port}")
        words = ["--expect", str(expected_mbps), "--other", f"tcp://{provider.ipv4}:{OTHER_PORT}"]
        command = lab.school.command([sys.executable, "-m", "tests.support.explained_run", asked, *words])
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline().strip() == READY
                yield Staged(lab, process)
            finally:
                process.kill()


def cut(link: int) -> Callable[[Laboratory], None]:
    """Return what cuts a link, counted from the school."""
    return lambda lab: lab.links[link].cut()


def nothing(_: Laboratory) -> None:
    """Leave all as it is."""


def unplug(lab: Laboratory) -> None:
    lab.school.ip("link", "set", "link0", "down")


def hush_router(lab: Laboratory) -> None:
    lab.hosts[1].set("net.ipv4.icmp_echo_ignore_all", "1")


def set_port(lab: Laboratory) -> None:
    set_port_speed(lab.school.path, "link0", 10)


def other_program(lab: Laboratory) -> None:
    """Let another program of the school's computer fill the line."""
    lab.server.popen(["iperf3", "--server"])
    lab.server.await_listener(5201)
    lab.school.popen(["iperf3", "--client", lab.server.ipv4, "--reverse", "--time", "30"])
    await_count(lambda: lab.counters().down.delivered_packets, lab.counters().down.delivered_packets + 500)


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What the links are, what happens, and what the verdict must be; a failed run where `outcome` says so."""

    links: tuple[Link, Link, Link]
    cause: Cause
    reason: CauseReason
    happens: Callable[[Laboratory], None] = nothing
    prepare: Callable[[Host], None] = prepared
    expected_mbps: float = EXPECTED_MBPS
    outcome: Outcome | None = Outcome.OK
    port: int = NDT7_PORT

    def is_shown_by(self, found: Reading) -> bool:
        """Tell whether the verdict is the one that must be."""
        return found.diagnosis is not None and found.diagnosis.reason is self.reason

    def play(self) -> Reading:
        """Return the reading."""
        with staged(*self.links, prepare=self.prepare, expected_mbps=self.expected_mbps, port=self.port) as this:
            self.happens(this.lab)
            return this.reading()


UP = (FAST, FAST, FAST)
STAGES = {
    "the provider's line is full": Stage(
        links=(FAST, SLOW, FAST), cause=Cause.PROVIDER, reason=CauseReason.FULL_BEHIND_GATEWAY
    ),
    "the cable to the router is full": Stage(
        links=(SLOW, FAST, FAST), cause=Cause.LAN, reason=CauseReason.FULL_BEFORE_GATEWAY
    ),
    "the radio to the router is full": Stage(
        links=(SLOW, FAST, FAST), cause=Cause.WIFI, reason=CauseReason.FULL_BEFORE_GATEWAY, prepare=by_radio
    ),
    "the cable to the router is lossy": Stage(
        links=(LOSSY, FAST, FAST), cause=Cause.LAN, reason=CauseReason.GATEWAY_LOSES, outcome=None
    ),
    "the port is set to 10 on a faster line": Stage(
        links=(symmetric(10, 2), symmetric(30, 4), symmetric(30, 4)),
        cause=Cause.LAN,
        reason=CauseReason.PORT_SPEED,
        happens=set_port,
        expected_mbps=20.0,
    ),
    "the line close to the server is full": Stage(
        links=(FAST, FAST, SLOW), cause=Cause.TARGET, reason=CauseReason.FULL_NEAR_TARGET
    ),
    "another program uses the line": Stage(
        links=(FAST, SLOW, FAST),
        cause=Cause.THIS_COMPUTER,
        reason=CauseReason.OTHER_PROGRAMS,
        happens=other_program,
        expected_mbps=15.0,
    ),
    "the router never answers": Stage(
        links=(FAST, SLOW, FAST), cause=Cause.UNKNOWN, reason=CauseReason.NOT_SHOWN, happens=hush_router
    ),
    "there is no network": Stage(
        links=UP, cause=Cause.LAN, reason=CauseReason.NO_NETWORK, happens=unplug, outcome=Outcome.FAILED
    ),
    "the router falls silent": Stage(
        links=UP, cause=Cause.LAN, reason=CauseReason.GATEWAY_SILENT, happens=cut(0), outcome=Outcome.FAILED
    ),
    "the radio falls silent": Stage(
        links=UP,
        cause=Cause.WIFI,
        reason=CauseReason.GATEWAY_SILENT,
        happens=cut(0),
        prepare=by_radio,
        outcome=Outcome.FAILED,
    ),
    "the line is cut behind the router": Stage(
        links=UP,
        cause=Cause.PROVIDER,
        reason=CauseReason.NOTHING_BEYOND_GATEWAY,
        happens=cut(1),
        outcome=Outcome.FAILED,
    ),
    "the server alone is cut off": Stage(
        links=UP, cause=Cause.TARGET, reason=CauseReason.TARGET_ALONE, happens=cut(2), outcome=Outcome.FAILED
    ),
    "the server refuses": Stage(
        links=UP,
        cause=Cause.TARGET,
        reason=CauseReason.TARGET_REFUSES,
        outcome=Outcome.FAILED,
        port=NDT7_PORT + 10,
    ),
}


@pytest.fixture(scope="module")
def played() -> dict[str, Reading]:
    with ThreadPoolExecutor(3) as pool:
        found = dict(zip(STAGES, pool.map(Stage.play, STAGES.values()), strict=True))
    for _ in range(REPLAYS_COUNT):
        for name, stage in STAGES.items():
            if not stage.is_shown_by(found[name]):
                found[name] = stage.play()
    return found


@pytest.mark.parametrize("name", STAGES)
def test_the_cause_is_found(played: dict[str, Reading], name: str) -> None:
    stage, found = STAGES[name], played[name]
    assert stage.outcome in {None, found.outcome}
    assert found.diagnosis is not None
    assert (found.diagnosis.cause, found.diagnosis.reason) == (stage.cause, stage.reason), found.diagnosis.evidence


def test_the_evidence_travels_with_the_verdict(played: dict[str, Reading]) -> None:
    full, cut_off = (
        played[name].diagnosis for name in ("the provider's line is full", "the line is cut behind the router")
    )
    assert full is not None
    assert cut_off is not None
    assert full.evidence.expected_mbps == EXPECTED_MBPS
    assert full.evidence.gateway_loaded is not None
    assert full.evidence.gateway_loaded.answered_count >= 5
    assert (cut_off.evidence.others_asked_count, cut_off.evidence.others_answered_count) == (1, 0)
