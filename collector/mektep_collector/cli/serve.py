"""`mektep-collector serve`: pages, interface and measuring server."""

import asyncio
import logging
from typing import Annotated

import typer
import uvloop
from sqlalchemy.exc import SQLAlchemyError

from mektep_collector.cli.log import set_up_log
from mektep_collector.cli.serving import ListenError, Serving, serve
from mektep_collector.cli.settled import FAILED, USAGE, AsJson, ConfigFile, DataDir, settle, show_json, stop
from mektep_collector.config import ConfigError
from mektep_collector.journal.error import JournalError
from mektep_collector.measure.settings import MeasureError
from mektep_collector.registry.error import RegistryError
from mektep_collector.store.error import StoreError

_LOG = logging.getLogger(__name__)
_Port = Annotated[int | None, typer.Option(min=0, max=65_535)]


def serve_command(
    data_dir: DataDir = None,
    config: ConfigFile = None,
    store: Annotated[str | None, typer.Option(help="Where readings lie as time series: embedded or influxdb.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to serve on. Default: 127.0.0.1.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port to serve on; 0: any. Default: 8080.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Address under which agents and people reach the collector.")
    ] = None,
    tls_cert: Annotated[str | None, typer.Option(help="Certificate chain, PEM. With --tls-key all is TLS.")] = None,
    tls_key: Annotated[str | None, typer.Option(help="Private key of the certificate, PEM.")] = None,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Serve without TLS beyond this computer: tokens go in the clear.")
    ] = False,
    no_measure: Annotated[bool, typer.Option("--no-measure", help="Start no measuring server.")] = False,
    measure_bind: Annotated[str | None, typer.Option(help="Address that the measuring server listens on.")] = None,
    measure_host: Annotated[
        str | None, typer.Option(help="Name under which schools reach the measuring server.")
    ] = None,
    ndt7_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="TCP port of throughput tests; 0: any. Default: 8081.")
    ] = None,
    ndt7_tls_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="TCP port of tests over TLS; 0: any. Default: 8444.")
    ] = None,
    echo_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="UDP port of latency probes; 0: any. Default: 8082.")
    ] = None,
    measure_metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="TCP port of the measuring server's metrics. Default: any.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve until told to end (SIGTERM, SIGINT). With --json one line on stdout says when all is open, and where."""
    flags: dict[str, object] = {
        "data_dir": data_dir,
        "store": store,
        "host": host,
        "port": port,
        "public_url": public_url,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "plain_http": "anywhere" if insecure_http else None,
        "measure_server": "none" if no_measure else None,
        "measure_bind": measure_bind,
        "measure_host": measure_host,
        "ndt7_port": ndt7_port,
        "ndt7_tls_port": ndt7_tls_port,
        "echo_port": echo_port,
        "measure_metrics_port": measure_metrics_port,
    }
    settings = settle(config, flags).config
    set_up_log(settings.log_level, settings.log_form)

    def announce(serving: Serving) -> None:
        _LOG.info(serving.event, extra={"collector": serving.collector, "ndt7": serving.ndt7, "echo": serving.echo})
        if as_json:
            show_json(serving)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, announce))
    except ConfigError as error:
        stop(str(error), USAGE)
    except (ListenError, MeasureError, RegistryError, JournalError, StoreError, SQLAlchemyError, OSError) as error:
        stop(str(error), FAILED)
