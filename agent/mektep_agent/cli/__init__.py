"""The agent's commands, one file each. Exit codes: `daemon.exit_code`. JSON on stdout, messages on stderr."""

import sys
from typing import Annotated

import typer

from mektep_agent.cli.config import config_app
from mektep_agent.cli.enrol import enrol
from mektep_agent.cli.measure import measure
from mektep_agent.cli.run import run
from mektep_agent.cli.schedule import schedule
from mektep_agent.cli.status import status
from mektep_wire import VERSION

app = typer.Typer(
    name="mektep-agent",
    help="Measures what internet a school really gets, keeps every reading, and sends it to the collector.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:  # a flag of the command line
    if wanted:
        sys.stdout.write(f"mektep-agent {VERSION}\n")
        raise typer.Exit


@app.callback()
def agent(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Measures what internet a school really gets, keeps every reading, and sends it to the collector."""


app.command()(enrol)
app.command()(run)
app.command()(measure)
app.command()(status)
app.command()(schedule)
app.add_typer(config_app)


def main() -> None:
    """Run the command line."""
    app()
