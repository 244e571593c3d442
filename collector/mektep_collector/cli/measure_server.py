"""`mektep-collector measure-server`: the measuring server in a process of its own."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from mektep_collector.cli.browser_test import BrowserTestPages
from mektep_collector.measure.serve import serve
from mektep_collector.measure.settings import MeasureError, MeasureSettings, Ready, TlsFiles

_FAILED = 1
_STDIN = 0
_DISCARDED_BYTES = 4_096


def measure_server(
    bind: Annotated[
        list[str] | None,
        typer.Option(help="Address to listen on; may be given more than once. Default: all of IPv4 and IPv6."),
    ] = None,
    ndt7_port: Annotated[int, typer.Option(min=0, max=65_535, help="TCP port for NDT7 without TLS; 0: any.")] = 8081,
    echo_port: Annotated[int, typer.Option(min=0, max=65_535, help="UDP port for echo probes; 0: any.")] = 8082,
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate chain, PEM. With --tls-key it opens the port for wss.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key of the certificate, PEM.")] = None,
    ndt7_tls_port: Annotated[int, typer.Option(min=0, max=65_535, help="TCP port for NDT7 over TLS; 0: any.")] = 8444,
    metrics_host: Annotated[str, typer.Option(help="Address of the metrics page.")] = "127.0.0.1",
    metrics_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="TCP port of the metrics page for Prometheus; 0: any.")
    ] = 8083,
    max_tests: Annotated[
        int, typer.Option(min=1, help="How many tests may run at once; further ones are told to come again.")
    ] = 64,
    congestion_control: Annotated[
        str | None, typer.Option(help="Congestion control for downloads. Default: bbr where the system has it.")
    ] = None,
    stop_with_stdin: Annotated[
        bool,
        typer.Option("--stop-with-stdin", help="End when standard input ends: for a parent process."),
    ] = False,
) -> None:
    """Serve NDT7 tests and UDP echo until it is told to end (SIGTERM, SIGINT).

    Once all ports are open, one line of JSON on stdout says which they are.
    """
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key belong together: give both, or none for ws alone")
    settings = MeasureSettings(
        bind=tuple(bind or ()),
        ndt7_port=ndt7_port,
        echo_port=echo_port,
        tls=TlsFiles(tls_cert, tls_key) if tls_cert is not None and tls_key is not None else None,
        ndt7_tls_port=ndt7_tls_port,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        max_tests=max_tests,
        congestion_control=congestion_control,
    )
    try:
        asyncio.run(_serve_until_told(settings, stop_with_stdin))
    except MeasureError as error:
        typer.echo(f"measure-server: {error}", err=True)
        raise typer.Exit(_FAILED) from None


async def _serve_until_told(settings: MeasureSettings, stop_with_stdin: bool) -> None:
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(serve(settings, _announce, pages=BrowserTestPages()))
    for told in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(told, serving.cancel)
    if stop_with_stdin:
        loop.add_reader(_STDIN, _stop_at_end_of_stdin, serving, loop)
    with suppress(asyncio.CancelledError):  # it was told to end
        await serving


def _stop_at_end_of_stdin(serving: asyncio.Task[None], loop: asyncio.AbstractEventLoop) -> None:
    if not os.read(_STDIN, _DISCARDED_BYTES):
        loop.remove_reader(_STDIN)
        serving.cancel()


def _announce(ready: Ready) -> None:
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()
