"""The connections of a measuring server: accepted on the event loop, served in a thread each, ended together."""

import asyncio
import logging
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from mektep_collector.clock import TimeSource
from mektep_collector.measure.channel import Channel
from mektep_collector.measure.ndt7 import Ndt7Server

_LOG = logging.getLogger(__name__)
_ACCEPT_PAUSE_S = 0.1


class Connections:
    """The connections that are open, a thread each, up to a limit; leaving the block ends them all."""

    def __init__(self, server: Ndt7Server, limit_count: int, time: TimeSource) -> None:
        self._server = server
        self._time = time
        self._limit_count = limit_count
        self._threads = ThreadPoolExecutor(limit_count, thread_name_prefix="ndt7")
        self._lock = threading.Lock()
        self._open: set[Channel] = set()

    def __enter__(self) -> Self:
        """Begin to take connections."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Break off what is open and wait for the threads."""
        with self._lock:
            for channel in self._open:
                channel.wake()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for channel in self._open:
            channel.abort()

    async def accept_from(self, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        """Accept until cancelled. Beyond the limit a connection is reset at once: it costs no thread."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:
                # Out of descriptors or memory, or a client that was gone before it was taken: neither ends the server.
                _LOG.warning("accept_failed", extra={"detail": str(error)})
                await asyncio.sleep(_ACCEPT_PAUSE_S)
                continue
            self._take(Channel(connection, self._time), tls)

    def _take(self, channel: Channel, tls: ssl.SSLContext | None) -> None:
        with self._lock:
            if len(self._open) >= self._limit_count:
                channel.abort()
                return
            self._open.add(channel)
        self._threads.submit(self._serve, channel, tls)

    def _serve(self, channel: Channel, tls: ssl.SSLContext | None) -> None:
        try:
            self._server.serve(channel, tls)
        except Exception:  # noqa: BLE001 (the supervisor of connections)
            # A defect ends one connection, is told with its traceback, and the server goes on.
            _LOG.exception("connection_failed")
        finally:
            with self._lock:
                self._open.discard(channel)
