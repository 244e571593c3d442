"""A link that breaks, swallows large packets or speaks IPv6 alone: a failed or an honest reading, never a wrong one."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import msgspec
import pytest

from mektep_wire import Direction, EngineName, FailureKind, Metric, Outcome, ProbeName, Reading, StopReason
from tests.support.links import Laboratory, Link, Shape, laboratory
from tests.support.links.measuring import ECHO_PORT, NDT7_PORT, Printed, measure, measuring_server
from tests.support.one_transfer import READY

pytestmark = [pytest.mark.rights, pytest.mark.slow, pytest.mark.slow_links]

RATE_MBPS, RTT_MS = 4.0, 200.0
SHAPE = Shape(rate_mbps=RATE_MBPS, delay_ms=RTT_MS / 2)
LINK = Link(down=SHAPE, up=SHAPE)
CUTS_S = {
    "the first packet": 0.05,
    "the connection's answer": 0.15,
    "the test's request": 0.25,
    "the request's answer": 0.35,
    "the start of TCP": 0.65,
    "the steady part": 1.2,
    "the farewell": 2.2,
}
BROKEN = {FailureKind.CONNECT_TIMEOUT, FailureKind.STALLED, FailureKind.TIMEOUT, FailureKind.CLOSED_EARLY}
METRICS = {
    Direction.DOWNLOAD: Metric.DOWNLOAD_THROUGHPUT_MBPS,
    Direction.UPLOAD: Metric.UPLOAD_THROUGHPUT_MBPS,
}
RUN_TIMEOUT_S = 40


def reading_of(direction: Direction, link: Link, happens: Callable[[Laboratory], None]) -> Reading:
    with laboratory(link) as lab, measuring_server(lab.server) as server:
        words = [sys.executable, "-m", "tests.support.one_transfer", server, direction.value]
        with subprocess.Popen(
            lab.school.command(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline().strip() == READY
            process.stdin.write("go\n")
            process.stdin.flush()
            happens(lab)
            output, messages = process.communicate(timeout=RUN_TIMEOUT_S)
            assert process.returncode == 0, messages
    (found,) = msgspec.json.decode(output, type=Printed).readings
    return found


def cut_after(wait_s: float) -> Callable[[Laboratory], None]:
    def cut(lab: Laboratory) -> None:
        # What the cut meets depends on when it comes: that is the point, and each meeting is good.
        sleep(wait_s)
        lab.cut()

    return cut


def swallowing(direction: Direction) -> Link:
    hole = msgspec.structs.replace(SHAPE, max_packet_bytes=1_300)
    return Link(down=hole, up=SHAPE) if direction is Direction.DOWNLOAD else Link(down=SHAPE, up=hole)


def nothing(_: Laboratory) -> None:
    return


Case = tuple[Direction, str]


@pytest.fixture(scope="module")
def readings() -> dict[Case, Reading]:
    cases: dict[Case, tuple[Direction, Link, Callable[[Laboratory], None]]] = {}
    for direction in Direction:
        cases |= {(direction, when): (direction, LINK, cut_after(wait_s)) for when, wait_s in CUTS_S.items()}
        cases[direction, "black hole"] = (direction, swallowing(direction), nothing)
    with ThreadPoolExecutor(6) as pool:
        return dict(zip(cases, pool.map(lambda case: reading_of(*case), cases.values()), strict=True))


@pytest.mark.parametrize("when", CUTS_S)
@pytest.mark.parametrize("direction", Direction)
def test_a_cut_at_any_phase_gives_a_failure_or_the_links_rate(
    readings: dict[Case, Reading], direction: Direction, when: str
) -> None:
    found = readings[direction, when]
    if found.outcome is Outcome.FAILED:
        assert found.failure is not None
        assert found.failure.kind in BROKEN, found.failure
        assert found.values == {}
        return
    assert found.stop_reason in {StopReason.CONVERGED, StopReason.CONNECTION_LOST}
    assert found.values[METRICS[direction]] == pytest.approx(SHAPE.tcp_goodput_mbps, rel=0.05)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("when", list(CUTS_S)[:4])
def test_a_cut_before_the_link_is_full_is_a_failure(
    readings: dict[Case, Reading], direction: Direction, when: str
) -> None:
    assert readings[direction, when].outcome is Outcome.FAILED


@pytest.mark.parametrize("direction", Direction)
def test_a_black_hole_for_large_packets_is_a_stall_and_no_speed(
    readings: dict[Case, Reading], direction: Direction
) -> None:
    found = readings[direction, "black hole"]
    assert found.outcome is Outcome.FAILED
    assert found.failure is not None
    assert found.failure.kind is FailureKind.STALLED
    assert found.values == {}


def test_a_network_with_ipv6_alone_is_measured_whole() -> None:
    with laboratory(LINK) as lab, measuring_server(lab.server, "--bind", "::"):
        for host in lab.hosts:
            host.ip("-4", "address", "flush", "dev", "link0")
        lab.school.ip("-6", "route", "add", "default", "via", "fd77::2")
        echo = f"[{lab.server.ipv6}]:{ECHO_PORT}"
        found = measure(lab.school, f"ws://[{lab.server.ipv6}]:{NDT7_PORT}", "--echo", echo)
    assert found.exit_code == 0, found.messages
    for direction in Direction:
        # Twenty bytes more of header than IPv4 has.
        goodput_mbps = SHAPE.rate_mbps * 1428 / 1500
        assert found.throughput(direction).values[METRICS[direction]] == pytest.approx(goodput_mbps, rel=0.05)
    engines = {reading.engine for reading in found.readings if reading.outcome is Outcome.OK}
    assert {EngineName.NDT7, EngineName.UDP_ECHO, EngineName.ICMP} <= engines
    assert all(one.outcome is Outcome.OK for one in found.readings if one.probe is not ProbeName.PATH)
