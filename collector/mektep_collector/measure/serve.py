"""The measuring server as a whole: its ports, its threads, its metrics page, and their end.

It runs in a process of its own, so that a full-rate test never slows the acceptance of readings.
"""

import asyncio
import random
import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager

from prometheus_client import start_http_server

from mektep_collector.clock import SystemTime, TimeSource
from mektep_collector.measure.admission import Admission
from mektep_collector.measure.connections import Connections
from mektep_collector.measure.counts import Counts
from mektep_collector.measure.download import prepare_load
from mektep_collector.measure.echo import EchoServer
from mektep_collector.measure.listen import choose_congestion_control, open_ports
from mektep_collector.measure.ndt7 import Ndt7Server
from mektep_collector.measure.rate_limit import SourceLimit
from mektep_collector.measure.settings import MeasureError, MeasureSettings, Ready, TlsFiles
from mektep_collector.measure.specification import Timing
from mektep_collector.measure.web import NoPages, Pages, WebServer

_WAITING_ROOM_COUNT = 64
"""Connections beyond the running tests: those that are still shaking hands, and those that are being refused."""

_WEB_STREAMS_COUNT = 2
"""Transfers over plain HTTP for each test that may run: browsers open several connections at once."""


async def serve(
    settings: MeasureSettings,
    announce: Callable[[Ready], None],
    timing: Timing | None = None,
    time: TimeSource | None = None,
    chance: random.Random | None = None,
    pages: Pages | None = None,
) -> None:
    """Serve until cancelled. Calls `announce` once all ports are open; raises MeasureError when one cannot be.

    At the end every connection is broken off and every port and thread given back.
    """
    time = time or SystemTime()
    loop = asyncio.get_running_loop()
    counts = Counts()
    with ExitStack() as opened:
        plain = _opened(opened, settings, settings.ndt7_port, socket.SOCK_STREAM)
        secure = _opened(opened, settings, settings.ndt7_tls_port, socket.SOCK_STREAM) if settings.tls else []
        datagram = _opened(opened, settings, settings.echo_port, socket.SOCK_DGRAM)
        algorithm = [choose_congestion_control(listener, settings.congestion_control) for listener in plain + secure]
        counts.congestion_control(algorithm[0])
        context = _tls_context(settings.tls) if settings.tls else None
        metrics_port = opened.enter_context(_metrics_page(settings, counts))
        limit = SourceLimit(
            settings.echo_packets_per_s,
            settings.echo_burst_count,
            settings.echo_all_packets_per_s,
            time.monotonic_s(),
        )
        echo = EchoServer(datagram, limit, counts, time)
        ndt7 = Ndt7Server(
            prepare_load(),
            Admission(settings.max_tests),
            counts,
            timing or Timing(),
            time,
            chance or random.SystemRandom(),
            WebServer(pages or NoPages(), Admission(settings.max_tests * _WEB_STREAMS_COUNT), counts, time),
        )
        most_count = settings.max_tests * (1 + _WEB_STREAMS_COUNT) + _WAITING_ROOM_COUNT
        connections = opened.enter_context(Connections(ndt7, most_count, time))
        echo.start(loop)
        opened.callback(echo.stop, loop)
        announce(
            Ready(
                ndt7_port=plain[0].getsockname()[1],
                ndt7_tls_port=secure[0].getsockname()[1] if secure else None,
                echo_port=datagram[0].getsockname()[1],
                metrics_port=metrics_port,
                addresses=tuple(listener.getsockname()[0] for listener in plain),
                congestion_control=algorithm[0],
            )
        )
        async with asyncio.TaskGroup() as accepting:
            for listener in plain:
                accepting.create_task(connections.accept_from(listener, None))
            for listener in secure:
                accepting.create_task(connections.accept_from(listener, context))


def _opened(opened: ExitStack, settings: MeasureSettings, port: int, kind: socket.SocketKind) -> list[socket.socket]:
    return [opened.enter_context(one) for one in open_ports(settings.bind, port, kind)]


def _tls_context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(files.certificate, files.key)
    except OSError as error:
        raise MeasureError(
            f"certificate {files.certificate} and key {files.key} cannot be used: {error}; "
            "both must be PEM, belong together and be readable"
        ) from error
    return context


@contextmanager
def _metrics_page(settings: MeasureSettings, counts: Counts) -> Generator[int, None, None]:
    """Show the counts over HTTP, on an address of this computer alone by default; yield the port."""
    try:
        page, thread = start_http_server(settings.metrics_port, settings.metrics_host, counts.registry)
    except OSError as error:
        raise MeasureError(
            f"the metrics page cannot be opened on {settings.metrics_host}, port {settings.metrics_port}: "
            f"{error.strerror or error}; choose another with --metrics-port"
        ) from error
    try:
        yield page.server_port
    finally:
        page.shutdown()
        page.server_close()
        thread.join()
