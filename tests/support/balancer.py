"""A plain TCP balancer before several collectors, as a process of its own: it passes bytes on and reads none of them.

`python -m tests.support.balancer KEEPS PORT...` listens on a free port of 127.0.0.1, says which on stdout, and ends at
SIGTERM.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from ipaddress import ip_address
from itertools import count

import psutil
import uvloop

_PIECE_BYTES = 1 << 16
_BACKLOG_COUNT = 512


class Keeps(StrEnum):
    """What stays with one collector."""

    NOTHING = "nothing"
    """Each connection goes to the next collector in turn."""
    ADDRESS = "address"
    """All connections from one address go to the same collector."""


class RunningBalancer:
    """A balancer at work."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.port = port
        self.process = process


@contextmanager
def running_balancer(ports: Sequence[int], keeps: Keeps) -> Generator[RunningBalancer, None, None]:
    """Run one before the servers on `ports` of this machine for the time of the block."""
    command = [sys.executable, "-m", "tests.support.balancer", keeps.value, *map(str, ports)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield RunningBalancer(int(process.stdout.readline()), psutil.Process(process.pid))
        finally:
            process.terminate()


def _chosen(keeps: Keeps, ports: Sequence[int]) -> Callable[[str], int]:
    """Return what names the port for a connection from an address."""
    turns = count()
    if keeps is Keeps.ADDRESS:
        return lambda address: ports[int(ip_address(address)) % len(ports)]
    return lambda _address: ports[next(turns) % len(ports)]


async def _serve(keeps: Keeps, ports: Sequence[int]) -> None:
    port_for = _chosen(keeps, ports)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            there = await asyncio.open_connection("127.0.0.1", port_for(writer.get_extra_info("peername")[0]))
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
        writer.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, backlog=_BACKLOG_COUNT)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()


if __name__ == "__main__":
    uvloop.run(_serve(Keeps(sys.argv[1]), [int(each) for each in sys.argv[2:]]))
