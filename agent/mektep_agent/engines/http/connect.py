"""A TCP connection to the first of a host's addresses that takes one, and how long that one took."""

import asyncio
import socket
from collections.abc import Sequence

from mektep_agent.clock import TimeSource
from mektep_agent.engines.engine import EngineError
from mektep_agent.engines.failures import from_os_error
from mektep_agent.engines.resolve import Address
from mektep_wire import FailureKind

_RECEIVE_BUFFER_BYTES = 16_384  # what may be under way when enough was read stays small
_MAX_ADDRESSES_COUNT = 4
_TELLS_LITTLE = {FailureKind.NETWORK_UNREACHABLE, FailureKind.NO_INTERFACE}


async def connect(
    host: str, addresses: Sequence[Address], timeout_s: float, time: TimeSource, otherwise: FailureKind
) -> tuple[socket.socket, float]:
    """Return a non-blocking connection, which the caller closes, and the milliseconds from SYN to established.

    Up to four addresses are tried one after the other, each for `timeout_s`. Raises EngineError for the first that
    says more than that this computer has no way to that family; `otherwise` where the system names no cause.
    """
    loop = asyncio.get_running_loop()
    errors: list[EngineError] = []
    for address in _in_turn(addresses)[:_MAX_ADDRESSES_COUNT]:
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            began_s = time.monotonic_s()
            async with asyncio.timeout(timeout_s):
                await loop.sock_connect(connection, address.endpoint)
        except OSError as error:
            connection.close()
            errors.append(from_os_error(error, f"{host} at {address.host}", otherwise))
        except asyncio.CancelledError:
            connection.close()
            raise
        else:
            return connection, (time.monotonic_s() - began_s) * 1e3
    raise min(errors, key=lambda error: error.kind in _TELLS_LITTLE)


def _in_turn(addresses: Sequence[Address]) -> list[Address]:
    """Return the addresses in the system's order, with the families in turn (RFC 8305, 4): one may lead nowhere."""
    first = [address for address in addresses if address.family is addresses[0].family]
    others = [address for address in addresses if address.family is not addresses[0].family]
    turns: list[Address] = []
    for place in range(max(len(first), len(others))):
        turns += first[place : place + 1] + others[place : place + 1]
    return turns
