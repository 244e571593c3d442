"""`mektep-agent config show`: the settings in force, and where each came from."""

import sys
from typing import Annotated

import msgspec
import typer

from mektep_agent.cli.settle import ConfigOption, JsonOption, StateDirOption, folder_of, settle

config_app = typer.Typer(name="config", help="Look at the settings.", no_args_is_help=True)


@config_app.callback()
def config() -> None:
    """Look at the settings."""


@config_app.command()
def show(
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    state_dir: StateDirOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print each setting; with --origin, whether flag, environment, file or default gave it."""
    loaded = settle(state_dir, config)
    values = msgspec.structs.asdict(loaded.config)
    values["state_dir"] = str(folder_of(loaded.config).path)
    if as_json:
        shown = {
            name: {"value": value, "origin": loaded.origins[name]} if origin else value
            for name, value in values.items()
        }
        sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
        return
    for name, value in values.items():
        where = loaded.origins[name].value + (f" {loaded.file}" if loaded.origins[name].value == "file" else "")
        sys.stdout.write(f"{name} = {value}{f'  # {where}' if origin else ''}\n")
