"""Each cause staged: the school's computer, its router, the provider's router and the measuring server in a row.

The links between them are fast unless the stage says otherwise, and 50 Mbit/s are expected.
"""

import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import msgspec
import pytest

from mektep_wire import Cause, CauseReason, Diagnosis, Outcome, Reading
from tests.support.explained_run import READY
from tests.support.links import Host, Laboratory, Link, Shape, laboratory, symmetric
from tests.support.links.measuring import NDT7_PORT, Printed, measuring_server
from tests.support.links.patience import measured_again_if_disturbed
from tests.support.links.port import set_port_speed

pytestmark = [pytest.mark.rights, pytest.mark.slow]

EXPECTED_MBPS = 50.0
FAST = symmetric(200, 4)
SLOW = symmetric(15, 10)
LOSSY = Link(down=Shape(rate_mbps=15, delay_ms=2, loss_ratio=0.15), up=Shape(rate_mbps=15, delay_ms=2, loss_ratio=0.15))
RUN_TIMEOUT_S = 60
OTHER_PORT = 8099
RADIO = "wlan0"


class Stage:
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

    def diagnosis(self, outcome: Outcome) -> Diagnosis:
        """Let the run go on and return its diagnosis."""
        found = self.reading()
        assert found.outcome is outcome, found.failure
        assert found.diagnosis is not None
        return found.diagnosis


def prepared(school: Host) -> None:
    school.ip("route", "add", "default", "via", "10.77.0.2")


def by_radio(school: Host) -> None:
    """Give the way to the router a radio's name, by which it is known."""
    for words in (("down",), ("name", RADIO), ("up",)):
        school.ip("link", "set", RADIO if words == ("up",) else "link0", *words)
    school.ip("address", "replace", "10.77.0.1/24", "dev", RADIO)
    prepared(school)


@contextmanager
def stage(
    *links: Link,
    prepare: Callable[[Host], None] = prepared,
    expected_mbps: float = EXPECTED_MBPS,
    port: int = NDT7_PORT,
) -> Generator[Stage]:
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
                yield Stage(lab, process)
            finally:
                process.kill()


@measured_again_if_disturbed
def test_a_full_provider_line_is_the_providers() -> None:
    with stage(FAST, SLOW, FAST) as staged:
        found = staged.diagnosis(Outcome.OK)
    assert (found.cause, found.reason) == (Cause.PROVIDER, CauseReason.FULL_BEHIND_GATEWAY)
    assert found.evidence.expected_mbps == EXPECTED_MBPS
    assert found.evidence.gateway_loaded is not None
    assert found.evidence.gateway_loaded.answered_count >= 5


@measured_again_if_disturbed
def test_a_full_cable_is_the_schools() -> None:
    with stage(SLOW, FAST, FAST) as staged:
        found = staged.diagnosis(Outcome.OK)
    assert (found.cause, found.reason) == (Cause.LAN, CauseReason.FULL_BEFORE_GATEWAY)


@measured_again_if_disturbed
def test_a_full_radio_is_the_wifis() -> None:
    with stage(SLOW, FAST, FAST, prepare=by_radio) as staged:
        found = staged.diagnosis(Outcome.OK)
    assert (found.cause, found.reason) == (Cause.WIFI, CauseReason.FULL_BEFORE_GATEWAY)


@measured_again_if_disturbed
def test_a_lossy_cable_is_the_schools() -> None:
    with stage(LOSSY, FAST, FAST) as staged:
        found = staged.reading().diagnosis
    assert found is not None
    assert (found.cause, found.reason) == (Cause.LAN, CauseReason.GATEWAY_LOSES)


@measured_again_if_disturbed
def test_a_port_of_100_on_a_faster_line_is_the_schools() -> None:
    with stage(symmetric(100, 2), symmetric(300, 4), symmetric(300, 4), expected_mbps=200.0) as staged:
        set_port_speed(staged.lab.school.path, "link0", 100)
        found = staged.diagnosis(Outcome.OK)
    assert (found.cause, found.reason) == (Cause.LAN, CauseReason.PORT_SPEED)
    assert found.evidence.link_speed_mbps == 100.0


@measured_again_if_disturbed
def test_a_full_line_close_to_the_server_is_the_targets() -> None:
    with stage(FAST, FAST, SLOW) as staged:
        found = staged.diagnosis(Outcome.OK)
    assert (found.cause, found.reason) == (Cause.TARGET, CauseReason.FULL_NEAR_TARGET)


@measured_again_if_disturbed
def test_another_program_of_this_computer_is_this_computers() -> None:
    with stage(FAST, SLOW, FAST, expected_mbps=15.0) as staged:
        staged.lab.server.popen(["iperf3", "--server"])
        staged.lab.server.await_listener(5201)
        staged.lab.school.popen(["iperf3", "--client", staged.lab.server.ipv4, "--reverse", "--time", "30"])
        crossed = staged.lab.counters().down.delivered_packets
        while staged.lab.counters().down.delivered_packets < crossed + 500:
            pass
        found = staged.diagnosis(Outcome.OK)
    assert (found.cause, found.reason) == (Cause.THIS_COMPUTER, CauseReason.OTHER_PROGRAMS)


@measured_again_if_disturbed
def test_a_router_that_never_answers_blames_nobody() -> None:
    with stage(FAST, SLOW, FAST) as staged:
        staged.lab.hosts[1].set("net.ipv4.icmp_echo_ignore_all", "1")
        found = staged.diagnosis(Outcome.OK)
    assert (found.cause, found.reason) == (Cause.UNKNOWN, CauseReason.NOT_SHOWN)


def test_a_computer_without_network_is_the_schools() -> None:
    with stage(FAST, FAST, FAST) as staged:
        staged.lab.school.ip("link", "set", "link0", "down")
        found = staged.diagnosis(Outcome.FAILED)
    assert (found.cause, found.reason) == (Cause.LAN, CauseReason.NO_NETWORK)


def test_a_router_that_falls_silent_is_the_schools() -> None:
    with stage(FAST, FAST, FAST) as staged:
        staged.lab.links[0].cut()
        found = staged.diagnosis(Outcome.FAILED)
    assert (found.cause, found.reason) == (Cause.LAN, CauseReason.GATEWAY_SILENT)


def test_a_radio_that_falls_silent_is_the_wifis() -> None:
    with stage(FAST, FAST, FAST, prepare=by_radio) as staged:
        staged.lab.links[0].cut()
        found = staged.diagnosis(Outcome.FAILED)
    assert (found.cause, found.reason) == (Cause.WIFI, CauseReason.GATEWAY_SILENT)


def test_a_line_that_is_cut_behind_the_router_is_the_providers() -> None:
    with stage(FAST, FAST, FAST) as staged:
        staged.lab.links[1].cut()
        found = staged.diagnosis(Outcome.FAILED)
    assert (found.cause, found.reason) == (Cause.PROVIDER, CauseReason.NOTHING_BEYOND_GATEWAY)
    assert (found.evidence.others_asked_count, found.evidence.others_answered_count) == (1, 0)


def test_a_server_that_is_cut_off_alone_is_the_targets() -> None:
    with stage(FAST, FAST, FAST) as staged:
        staged.lab.links[2].cut()
        found = staged.diagnosis(Outcome.FAILED)
    assert (found.cause, found.reason) == (Cause.TARGET, CauseReason.TARGET_ALONE)


def test_a_server_that_refuses_is_the_targets() -> None:
    with stage(FAST, FAST, FAST, port=NDT7_PORT + 10) as staged:
        found = staged.diagnosis(Outcome.FAILED)
    assert (found.cause, found.reason) == (Cause.TARGET, CauseReason.TARGET_REFUSES)
