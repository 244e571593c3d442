"""What every command begins with: its settings, the registry of its data directory, and clear words when that fails."""

import getpass
import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from sqlalchemy.exc import SQLAlchemyError

from mektep_collector.config import Config, ConfigError, Loaded, load
from mektep_collector.config.registry_url import registry_url
from mektep_collector.registry.error import RegistryError
from mektep_collector.registry.registry import Registry, open_registry

FAILED = 1
USAGE = 2
DEGRADED = 3
OUT_OF_REACH = 4

DataDir = Annotated[
    str | None,
    typer.Option(help="Folder of registry, journal, store and keys. Default: the system's own for a user's programs."),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="File of settings, TOML. Default: MEKTEP_COLLECTOR_CONFIG, else none.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def settle(file: Path | None, flags: Mapping[str, object]) -> Loaded:
    """Return the settings in force; ends the program with 2 and the reason when they cannot be used."""
    try:
        return load(flags, os.environ, file)
    except ConfigError as error:
        stop(str(error), USAGE)


@contextmanager
def opened_registry(config: Config) -> Generator[Registry, None, None]:
    """Open the registry for a command; ends the program with 1 and the reason when it refuses."""
    try:
        registry = open_registry(config.data_path(), url=registry_url(config))
    except (RegistryError, SQLAlchemyError, OSError) as error:
        stop(f"the registry {_where(config)} cannot be opened: {_reason(error)}", FAILED)
    try:
        yield registry
    except RegistryError as error:
        stop(str(error), FAILED)
    except SQLAlchemyError as error:
        stop(f"the registry {_where(config)} cannot be used: {_reason(error)}", FAILED)
    finally:
        registry.close()


def operator() -> str:
    """Return the actor that the log of changes names for this command: the system's user who runs it."""
    try:
        return f"command by {getpass.getuser()[:80]}"
    except (OSError, KeyError, ImportError):
        return "command"


def tell(text: str) -> None:
    """Say something to the person at the terminal: on stderr, so that stdout stays the result's."""
    typer.echo(text, err=True)


def show_json(value: object) -> None:
    """Print a result as JSON on stdout."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def stop(reason: str, code: int) -> NoReturn:
    """End the program with a reason and an exit code."""
    tell(f"mektep-collector: {reason}")
    raise typer.Exit(code)


def _where(config: Config) -> str:
    return config.registry_url or f"in {config.data_path()}"


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None)
    return str(cause or error)
