"""The command `mektep-collector`: one file a command, put together here."""

from typing import Annotated

import typer

from mektep_collector.cli import audit, code, config, dead_letters, devices, people, schools
from mektep_collector.cli.backup import backup, restore
from mektep_collector.cli.doctor import doctor
from mektep_collector.cli.measure_server import measure_server
from mektep_collector.cli.openapi import openapi
from mektep_collector.cli.report import report
from mektep_collector.cli.serve import serve_command
from mektep_collector.cli.simulate import simulate
from mektep_wire import VERSION

app = typer.Typer(
    name="mektep-collector",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keeps what schools measure, and shows it.",
)
app.command("serve")(serve_command)
app.command("measure-server")(measure_server)
app.add_typer(schools.app, name="schools")
app.add_typer(code.app, name="code")
app.add_typer(devices.app, name="devices")
app.add_typer(people.app, name="people")
app.add_typer(audit.app, name="audit")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(config.app, name="config")
app.command("report")(report)
app.command("simulate")(simulate)
app.command("backup")(backup)
app.command("restore")(restore)
app.command("doctor")(doctor)
app.command("openapi")(openapi)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mektep-collector {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end."),
    ] = False,
) -> None:
    """Keep what schools measure, and show it."""


def main() -> None:
    """Run the command line."""
    app()
