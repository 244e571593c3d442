"""Options that several commands share, and settling them into settings and a state folder."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import platformdirs
import typer

from mektep_agent.config import Config, ConfigError, Loaded, load
from mektep_agent.config.load import FILE_VARIABLE
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.daemon.exit_code import ExitCode

_PROGRAM = "mektep-agent"
_FILE = "agent.toml"

StateDirOption = Annotated[Path | None, typer.Option("--state-dir", help="Folder of the agent's identity and outbox.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file, TOML.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def settle(state_dir: Path | None, file: Path | None, **flags: str | None) -> Loaded:
    """Return the settings in force; ends the command where one of them cannot be."""
    given = dict(flags)
    given["state_dir"] = None if state_dir is None else str(state_dir)
    try:
        return load(given, os.environ, file or _found_file())
    except ConfigError as error:
        fail(str(error), ExitCode.USAGE)


def folder_of(config: Config) -> StateFolder:
    """Return the state folder that the settings name, else the system's own for a user's programs."""
    chosen = (
        Path(config.state_dir) if config.state_dir else Path(platformdirs.user_state_dir(_PROGRAM, appauthor=False))
    )
    return StateFolder(chosen.absolute())


def say(message: str) -> None:
    """Tell a person something."""
    sys.stderr.write(message + "\n")


def fail(message: str, code: ExitCode) -> NoReturn:
    """Say what is wrong and end the command."""
    say(f"{_PROGRAM}: {message}")
    raise typer.Exit(code)


def _found_file() -> Path | None:
    """Return the settings file that the environment names, else the user's, else the computer's, else None."""
    named = os.environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    folders = (
        platformdirs.user_config_path(_PROGRAM, appauthor=False),
        platformdirs.site_config_path(_PROGRAM, appauthor=False),
    )
    return next((folder / _FILE for folder in folders if (folder / _FILE).is_file()), None)
