"""`mektep-collector code`: the codes that let a computer in."""

from datetime import timedelta
from typing import Annotated

import typer

from mektep_collector.cli.settled import AsJson, ConfigFile, DataDir, opened_registry, operator, settle, show_json, tell
from mektep_collector.clock import SystemTime

app = typer.Typer(no_args_is_help=True, help="Join codes for computers of a school.")


@app.callback()
def _code() -> None:
    """Join codes for computers of a school."""


@app.command("new")
def new(
    school: Annotated[str, typer.Argument(help="Id of the school, as `schools list` shows it.")],
    count: Annotated[
        int, typer.Option(min=1, max=1_000, help="How many codes to make; each is good for one computer.")
    ] = 1,
    hours: Annotated[
        float | None, typer.Option(min=0.1, max=8_760.0, help="How long they are good. Default: `code_lifetime_h`.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Make one-time codes for a school. They are shown this once: only their hashes are kept."""
    settings = settle(config, {"data_dir": data_dir, "code_lifetime_h": hours}).config
    with opened_registry(settings) as registry:
        lifetime = timedelta(hours=settings.code_lifetime_h)
        codes = registry.codes.issue(school, count, lifetime, SystemTime().now(), operator())
    if as_json:
        show_json({"codes": codes})
        return
    for one in codes:
        typer.echo(one.code)
    address = settings.public_url or "COLLECTOR"
    tell(f"Good until {codes[0].expires_at:%Y-%m-%d %H:%M} UTC, each for one computer of school {school}.")
    tell(f"There: mektep-agent enrol {address} --code {codes[0].code}")
