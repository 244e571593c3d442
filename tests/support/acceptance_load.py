"""A load on the acceptance server: batches as whole HTTP requests over kept connections, each answer timed."""

import asyncio
import gzip
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw
import psutil

from tests.support.school_device import SchoolDevice

_READINESS_DEADLINE_S = 60.0
_FEEDING_DEADLINE_S = 600.0
_LEVEL = 6


class RunningAcceptance:
    """The acceptance server in a process of its own, with its data in `directory`."""

    def __init__(self, directory: Path, port: int, process: psutil.Process) -> None:
        self.directory = directory
        self.port = port
        self.process = process

    def await_fed(self, readings_count: int) -> None:
        """Wait until the store holds so many readings; raises RuntimeError where it does not in time."""
        deadline_s = time.monotonic() + _FEEDING_DEADLINE_S
        while time.monotonic() < deadline_s:
            if fed_count(self.directory) == readings_count:
                return
            time.sleep(0.1)
        raise RuntimeError(f"the store did not take in {readings_count} readings, but {fed_count(self.directory)}")


@contextmanager
def running_acceptance(directory: Path, *options: str) -> Generator[RunningAcceptance, None, None]:
    """Run the server for the devices in DIRECTORY/devices.json for the time of the block."""
    devices = directory / "devices.json"
    (directory / "port").unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.support.acceptance_server", str(directory), str(devices), *options]
    process = subprocess.Popen(command)
    try:
        yield RunningAcceptance(directory, _await_port(directory, process), psutil.Process(process.pid))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def request_of(device: SchoolDevice, body: bytes) -> bytes:
    """Return a whole HTTP/1.1 request with a batch, compressed and signed."""
    packed = gzip.compress(body, _LEVEL)
    return post_of(device.headers(packed), packed)


def post_of(headers: Mapping[str, str], packed: bytes) -> bytes:
    """Return a whole HTTP/1.1 request with a compressed batch and the headers that belong to it."""
    every = {**headers, "Host": "127.0.0.1", "Content-Length": str(len(packed))}
    head = "".join(f"{name}: {value}\r\n" for name, value in every.items())
    return f"POST /v1/readings HTTP/1.1\r\n{head}\r\n".encode() + packed


async def load(port: int, shares: Sequence[Sequence[bytes]]) -> list[float]:
    """Send each share of requests over a connection of its own; returns the seconds that each answer took.

    Raises RuntimeError for an answer that does not take all in.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_converse(port, share)) for share in shares]
    return [each for task in tasks for each in task.result()]


def fed_count(directory: Path) -> int:
    """Return how many readings the embedded store of a server holds."""
    path = str(directory / "store" / "recent.sqlite")
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(connection.execute("SELECT reading_count FROM progress").get)
    finally:
        connection.close()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Send one request and read its answer; raises RuntimeError for one that does not take all in."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    status = head.split(b"\r\n", 1)[0]
    if b" 204 " in status:
        return
    if b" 200 " not in status:
        raise RuntimeError(head.decode())
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    answer = await reader.readexactly(length)
    if answer.count(b'"stored"') == 0 or b'"rejected"' in answer:
        raise RuntimeError(answer[:300].decode())


async def _converse(port: int, requests: Sequence[bytes]) -> list[float]:
    """Send requests one after another over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    took_s = []
    for request in requests:
        began_s = time.perf_counter()
        await exchange(reader, writer, request)
        took_s.append(time.perf_counter() - began_s)
    writer.close()
    await writer.wait_closed()
    return took_s


def _await_port(directory: Path, process: subprocess.Popen[bytes]) -> int:
    deadline_s = time.monotonic() + _READINESS_DEADLINE_S
    while not (directory / "port").exists():
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise RuntimeError("the server did not begin to listen")
        time.sleep(0.05)
    return int((directory / "port").read_text("utf-8"))
