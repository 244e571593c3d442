"""The project's own programs in a laboratory: its measuring server in one host, its agent in another."""

import resource
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mektep_wire import Direction, Metric, ProbeName, Reading
from tests.support.links.error import LaboratoryError
from tests.support.links.namespace import Host

NDT7_PORT = 8081
ECHO_PORT = 8082
MEASURE_TIMEOUT_S = 90
END_TIMEOUT_S = 10


class Printed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `mektep-agent measure --json` prints."""

    readings: list[Reading]


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the agent's command: how it ended, what it read, what it cost this machine."""

    exit_code: int
    readings: list[Reading]
    messages: str
    cpu_s: float

    def throughput(self, direction: Direction) -> Reading:
        """Return the throughput reading of a direction; raises LaboratoryError where there is not exactly one."""
        found = [one for one in self.readings if one.probe is ProbeName.THROUGHPUT and one.direction is direction]
        if len(found) != 1:
            raise LaboratoryError(f"{len(found)} readings of {direction.value} throughput; messages: {self.messages}")
        return found[0]

    def value(self, metric: Metric) -> float:
        """Return a metric's value from whichever reading holds it; raises LaboratoryError where none does."""
        for reading in self.readings:
            if metric in reading.values:
                return reading.values[metric]
        failures = [reading.failure for reading in self.readings if reading.failure is not None]
        raise LaboratoryError(f"no reading holds {metric.value}; failures: {failures}; messages: {self.messages}")


def program(name: str) -> str:
    """Return the path of one of the project's commands in this environment; raises LaboratoryError if it is absent."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise LaboratoryError(f"{path.name} is not installed beside {sys.executable}: run make setup")
    return str(path)


def processor_s_of_ended_children() -> float:
    """Return the processor time of all children that ended: the difference of two calls is what ran between them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def measuring_server(host: Host, *options: str) -> Generator[str, None, None]:
    """Run `mektep-collector measure-server` in the host; yield the address that agents are given."""
    ports = ("--ndt7-port", str(NDT7_PORT), "--echo-port", str(ECHO_PORT))
    words = [program("mektep-collector"), "measure-server", "--bind", "0.0.0.0", *ports, *options]  # noqa: S104 (a namespace of our own)
    server = host.popen(words)
    try:
        host.await_listener(NDT7_PORT)
        host.await_listener(ECHO_PORT)
        yield f"ws://{host.ipv4}:{NDT7_PORT}"
    finally:
        server.terminate()
        try:
            server.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(END_TIMEOUT_S)


class RunningMeasurement:
    """A run of the agent's command that goes on while the test does something to the link."""

    def __init__(self, host: Host, server: str, *options: str) -> None:
        """Start it."""
        self._before_s = processor_s_of_ended_children()
        self._words = [program("mektep-agent"), "measure", "--server", server, "--json", *options]
        self._process = host.popen(self._words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def result(self, timeout_s: float = MEASURE_TIMEOUT_S) -> Measurement:
        """Wait for its end, whatever its code; raises TimeoutExpired, LaboratoryError if it printed no readings."""
        output, messages = self._process.communicate(timeout=timeout_s)
        code = self._process.returncode
        try:
            printed = msgspec.json.decode(output, type=Printed)
        except msgspec.DecodeError as error:
            raise LaboratoryError(f"measure (exit {code}) printed no readings: {error}\n{messages}") from error
        cpu_s = processor_s_of_ended_children() - self._before_s
        return Measurement(exit_code=code, readings=printed.readings, messages=messages, cpu_s=cpu_s)


def measure(host: Host, server: str, *options: str) -> Measurement:
    """Run the agent's command to its end; raises as `RunningMeasurement.result`."""
    return RunningMeasurement(host, server, *options).result()
