"""`mektep-agent measure` as a person runs it: the real program, a real server, real exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from mektep_collector.measure.specification import Timing
from mektep_wire import FailureKind, Metric, Outcome, ProbeName, Reading
from tests.support.running_measure_server import measure_server

pytestmark = pytest.mark.alone

PROGRAM = Path(sys.executable).parent / "mektep-agent"


def measure(*arguments: str) -> subprocess.CompletedProcess[str]:
    run = [str(PROGRAM), "measure", *arguments]
    return subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)


def readings(printed: str) -> list[Reading]:
    return msgspec.convert(json.loads(printed)["readings"], list[Reading])


def test_a_measurement_without_enrolment_prints_readings_in_wire_form() -> None:
    # As long as a real server gives: on a busy machine a shorter one would cut the test off before anything is steady.
    with measure_server(timing=Timing()) as server:
        ndt7, echo = server.ready.ndt7_port, server.ready.echo_port
        done = measure(
            "--server", f"ws://127.0.0.1:{ndt7}", "--echo", f"127.0.0.1:{echo}", "--direction", "download", "--json"
        )
    assert done.returncode == 0, done.stdout + done.stderr
    found = readings(done.stdout)
    assert [one.seq for one in found] == list(range(1, len(found) + 1))
    assert len({one.epoch for one in found}) == 1
    assert {one.probe for one in found} == {ProbeName.PATH, ProbeName.LATENCY, ProbeName.THROUGHPUT}
    values = {metric: value for one in found for metric, value in one.values.items()}
    assert values[Metric.DOWNLOAD_THROUGHPUT_MBPS] > 10
    assert Metric.PACKET_LOSS_RATIO in values


def test_a_server_out_of_reach_is_exit_4_with_failed_readings() -> None:
    done = measure("--server", "ws://127.0.0.1:1", "--direction", "download", "--json")
    assert done.returncode == 4
    (failed,) = [one for one in readings(done.stdout) if one.probe is ProbeName.THROUGHPUT]
    assert failed.outcome is Outcome.FAILED
    assert failed.failure is not None
    assert failed.failure.kind is FailureKind.CONNECTION_REFUSED


def test_a_table_for_a_person_says_why_it_failed() -> None:
    done = measure("--server", "ws://127.0.0.1:1", "--direction", "download")
    assert "connection_refused" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("server", ["http://127.0.0.1:8081", "127.0.0.1", "ws://"])
def test_a_server_of_another_form_is_exit_2_with_the_form(server: str) -> None:
    done = measure("--server", server)
    assert done.returncode == 2
    assert "ws://" in done.stderr


@pytest.mark.parametrize("engine", ["librespeed", "iperf3"])
def test_each_engine_says_what_its_servers_address_is(engine: str) -> None:
    done = measure("--engine", engine, "--server", "ws://127.0.0.1:8081")
    assert done.returncode == 2
    assert {"librespeed": "/backend/", "iperf3": "iperf3://"}[engine] in done.stderr


def test_an_unknown_engine_is_told_which_there_are() -> None:
    done = measure("--engine", "fast", "--server", "ws://127.0.0.1:8081")
    assert done.returncode == 2
    for name in ("ndt7", "librespeed", "speedtest", "iperf3"):
        assert name in done.stderr


def test_what_stands_in_an_engines_way_is_said_with_exit_1() -> None:
    done = measure("--engine", "speedtest", "--server", "speedtest.net")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "MEKTEP_SPEEDTEST=allowed" in done.stderr
