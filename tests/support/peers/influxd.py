"""InfluxDB, the program itself: started on free ports with an fsync for each write, and what it is sent.

`deploy/test/install-influxd` puts 1.8.10 where this looks; 1.6 is Debian's own.
"""

import http.client
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

import psutil

from mektep_wire import Reading

DATABASE = "mektep"
_BUILT = Path(__file__).parents[3] / ".cache" / "influxd" / "influxd"
_DEBIANS = Path("/usr/bin/influxd")
_READINESS_DEADLINE_S = 30.0
_SETTINGS = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  wal-fsync-delay = "0s"
  index-version = "tsi1"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{http_port}"
  auth-enabled = {auth}
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "error"
"""


class InfluxdLine(StrEnum):
    """Which InfluxDB."""

    V1_8 = "1.8"
    V1_6 = "1.6"


_PROGRAMS = {InfluxdLine.V1_8: _BUILT, InfluxdLine.V1_6: _DEBIANS}


def influxd_obstacle(line: InfluxdLine = InfluxdLine.V1_8) -> str | None:
    """Return why InfluxDB cannot be run here, None where it can."""
    if _PROGRAMS[line].exists():
        return None
    if line is InfluxdLine.V1_6:
        return "Debian's influxdb is missing; deploy/test/install-peers installs it where it may"
    return "influxd 1.8 is missing; deploy/test/install-influxd builds it where Go is"


class RunningInfluxd:
    """A server with the database `mektep`."""

    def __init__(self, process: psutil.Process, port: int) -> None:
        self.port = port
        self.process = process

    def kill(self) -> None:
        """End it without a word, and return when it has ended."""
        self.process.kill()
        _is_over(self.process)


@contextmanager
def running_influxd(
    folder: Path, line: InfluxdLine = InfluxdLine.V1_8, *, port: int = 0, admin: tuple[str, str] | None = None
) -> Generator[RunningInfluxd, None, None]:
    """Run a server with its data in `folder` for the time of the block.

    With `admin`, a name and a password, it lets nobody else in.
    """
    obstacle = influxd_obstacle(line)
    assert obstacle is None, obstacle
    http_port, rpc_port = port or free_port(), free_port()
    settings = folder / "influxd.conf"
    settings.write_text(
        _SETTINGS.format(folder=folder, http_port=http_port, rpc_port=rpc_port, auth=str(admin is not None).lower()),
        "utf-8",
    )
    process = _started(_PROGRAMS[line], settings, folder / "influxd.pid")
    try:
        _await(http_port, process)
        if admin is not None:
            told = quote(f"CREATE USER {admin[0]} WITH PASSWORD '{admin[1]}' WITH ALL PRIVILEGES")
            assert _ask(http_port, f"/query?q={told}") in {200, 401}, "influxd made no administrator"
        else:
            answer = _ask(http_port, f"/query?q=CREATE+DATABASE+{DATABASE}")
            assert answer == 200, f"influxd made no database: {answer}"
        yield RunningInfluxd(process, http_port)
    finally:
        _end(process)


def _started(program: Path, settings: Path, pid_file: Path) -> psutil.Process:
    """Start the program as nobody's child: some tests look at their own process's children, and end them."""
    pid_file.unlink(missing_ok=True)
    command = ["setsid", "--fork", str(program), "-config", str(settings), "-pidfile", str(pid_file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline_s = time.monotonic() + _READINESS_DEADLINE_S
    while not (pid_file.exists() and pid_file.read_text("ascii").strip()):
        if time.monotonic() > deadline_s:
            raise RuntimeError("influxd did not start")
        time.sleep(0.02)
    return psutil.Process(int(pid_file.read_text("ascii")))


def _end(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.terminate()
        if not _is_over(process):
            process.kill()
            assert _is_over(process), "influxd cannot be ended"


def _is_over(process: psutil.Process) -> bool:
    """Wait for a process to end; it may stay a name in the system's list until who adopted it looks at it."""
    deadline_s = time.monotonic() + _READINESS_DEADLINE_S
    with suppress(psutil.NoSuchProcess):
        while process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(0.02)
    return True


def lines(readings: Sequence[Reading], device_id: str, school_id: str) -> bytes:
    """Return readings as line protocol: one point each, its id and all its values as fields, times in microseconds."""
    told = []
    for each in readings:
        tags = {
            "school": school_id,
            "device": device_id,
            "engine": each.engine.value,
            "outcome": each.outcome.value,
            "trigger": each.trigger.value,
            "direction": each.direction.value if each.direction else None,
        }
        fields = {
            "id": f'"{each.id}"',
            "epoch": f'"{each.epoch}"',
            "seq": f"{each.seq}i",
            "boot_id": f'"{each.boot_id}"',
            "duration_s": repr(each.duration_s),
            "started_monotonic_s": repr(each.started_monotonic_s),
            "bytes_sent": f"{each.bytes_sent}i",
            "bytes_received": f"{each.bytes_received}i",
            **{metric.value: repr(value) for metric, value in each.values.items()},
        }
        for metric, interval in each.intervals.items():
            fields[f"{metric.value}_low"], fields[f"{metric.value}_high"] = repr(interval.low), repr(interval.high)
        for metric, count in each.sample_counts.items():
            fields[f"{metric.value}_n"] = f"{count}i"
        key = ",".join([each.probe.value, *(f"{name}={value}" for name, value in tags.items() if value is not None)])
        at_us = int(each.started_at.timestamp() * 1e6)
        told.append(f"{key} {','.join(f'{name}={value}' for name, value in fields.items())} {at_us}")
    return "\n".join(told).encode()


def free_port() -> int:
    """Return a TCP port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _ask(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST" if path.startswith("/query") else "GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def _await(port: int, process: psutil.Process) -> None:
    deadline_s = time.monotonic() + _READINESS_DEADLINE_S
    while True:
        try:
            if _ask(port, "/ping") == 204:
                return
        except OSError:
            pass
        if not process.is_running() or time.monotonic() > deadline_s:
            raise RuntimeError("influxd did not begin to answer")
        time.sleep(0.05)
