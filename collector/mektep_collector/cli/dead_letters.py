"""`mektep-collector dead-letters`: readings that InfluxDB refused for good."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mektep_collector.cli.settled import (
    DEGRADED,
    FAILED,
    USAGE,
    AsJson,
    ConfigFile,
    DataDir,
    settle,
    show_json,
    stop,
    tell,
)
from mektep_collector.config import ConfigError, StoreKind
from mektep_collector.store.error import StoreError

if TYPE_CHECKING:
    from mektep_collector.store.influx import InfluxFiles

app = typer.Typer(no_args_is_help=True, help="Readings that InfluxDB refused for good, kept apart.")


@app.callback()
def _dead_letters() -> None:
    """Look at refused readings, and send them again."""


@app.command("list")
def list_letters(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """List the reasons that InfluxDB gave, with how many readings each has; --json lists the readings."""
    with _files(config, data_dir) as files:
        letters = files.dead_letters()
    if as_json:
        show_json({"dead_letters": letters})
        return
    for reason, count in Counter(letter.reason for letter in letters).most_common():
        typer.echo(f"{count}  {reason}")
    tell(f"{len(letters)} readings were refused")


@app.command("retry")
def retry(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Write refused readings again, once their reason is mended; ends with 3 where some are refused still."""
    with _files(config, data_dir) as files:
        done = files.redeliver()
    if as_json:
        show_json(done)
    else:
        tell(f"{done.taken_count} readings were taken, {done.refused_count} are refused still")
    if done.refused_count:
        raise typer.Exit(DEGRADED)


@contextmanager
def _files(file: Path | None, data_dir: str | None) -> Generator["InfluxFiles", None, None]:
    config = settle(file, {"data_dir": data_dir}).config
    if config.store is not StoreKind.INFLUXDB:
        stop("the settings name the embedded store, which refuses no reading; this is for `influxdb`", USAGE)
    try:
        from mektep_collector.cli.influx import influx_files

        yield influx_files(config)
    except ConfigError as error:
        stop(str(error), USAGE)
    except StoreError as error:
        stop(str(error), FAILED)
