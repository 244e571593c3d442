"""`mektep-collector config`: the settings in force."""

from typing import Annotated

import msgspec
import typer

from mektep_collector.cli.settled import AsJson, ConfigFile, DataDir, settle, show_json

app = typer.Typer(no_args_is_help=True, help="Settings.")


@app.callback()
def _config() -> None:
    """Settings."""


@app.command("show")
def show(
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Print every setting as it is in force."""
    loaded = settle(config, {"data_dir": data_dir})
    values: dict[str, object] = msgspec.to_builtins(loaded.config)
    if as_json:
        show_json({name: {"value": value, "origin": loaded.origins[name]} for name, value in values.items()})
        return
    for name, value in values.items():
        text = msgspec.json.encode(value).decode()
        place = loaded.origins[name].value
        if place == "file":
            place = f"file {loaded.file}"
        typer.echo(f"{name} = {text}  # {place}" if origin else f"{name} = {text}")
