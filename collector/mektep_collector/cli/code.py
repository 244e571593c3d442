"""`mektep-collector code`: the codes that let a computer in."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from mektep_collector.cli.joining import joining_command, joining_link
from mektep_collector.cli.private_file import new_private_file
from mektep_collector.cli.settled import (
    FAILED,
    USAGE,
    AsJson,
    ConfigFile,
    DataDir,
    opened_registry,
    operator,
    settle,
    show_json,
    stop,
    tell,
)
from mektep_collector.clock import SystemTime
from mektep_collector.config import Config
from mektep_collector.registry.codes import IssuedCode
from mektep_collector.registry.error import SchoolUnknown
from mektep_collector.registry.registry import Registry
from mektep_dashboards.i18n.language import Language

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
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet", "-o", help="New file, HTML, with the codes to be printed on A4 and cut apart; none is shown."
        ),
    ] = None,
    lang: Annotated[
        Language | None, typer.Option(help="One language of the sheet alone. Default: all three in each block.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Address under which schools reach the collector; the sheet says it.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Make one-time codes for a school. They are shown this once: only their hashes are kept."""
    flags = {"data_dir": data_dir, "code_lifetime_h": hours, "public_url": public_url}
    settings = settle(config, flags).config
    if sheet is not None and not settings.public_url:
        stop("a sheet says where the collector is reached: give --public-url, or the setting `public_url`", USAGE)
    with opened_registry(settings) as registry:
        codes = (
            _issue(registry, school, count, settings)
            if sheet is None
            else _issue_on(sheet, registry, school, count, settings, [lang] if lang else list(Language))
        )
    if as_json:
        show_json({"codes": codes} if sheet is None else {"sheet": str(sheet), "count": len(codes)})
        return
    until = f"Good until {codes[0].expires_at:%Y-%m-%d %H:%M} UTC, each for one computer of school {school}."
    if sheet is not None:
        tell(f"{len(codes)} codes are on {sheet}. {until}")
        tell("Print it, hand each block to who sets up one computer, and delete the file: it holds secrets.")
        return
    for one in codes:
        typer.echo(one.code)
    tell(until)
    tell(f"There: {joining_command(_address(settings) or 'COLLECTOR', codes[0].code)}")


def _issue(registry: Registry, school: str, count: int, settings: Config) -> Sequence[IssuedCode]:
    lifetime = timedelta(hours=settings.code_lifetime_h)
    return registry.codes.issue(school, count, lifetime, SystemTime().now(), operator())


def _issue_on(
    path: Path, registry: Registry, school_id: str, count: int, settings: Config, languages: Sequence[Language]
) -> Sequence[IssuedCode]:
    """Make codes once there is a file that takes them: nobody could see them again."""
    # Only a sheet needs templates and catalogues, and they take a while to read.
    from mektep_dashboards.paper.code_sheet import CodeSheet, SheetCode, code_sheet

    school = registry.schools.get(school_id)
    if school is None:
        raise SchoolUnknown(school_id)
    codes: Sequence[IssuedCode] = ()
    try:
        with new_private_file(path) as file:
            codes = _issue(registry, school_id, count, settings)
            address = _address(settings)
            printed = CodeSheet(
                school_id=school.id,
                school_name=school.name,
                time_zone=school.time_zone,
                codes=[
                    SheetCode(
                        code=one.code,
                        command=joining_command(address, one.code),
                        link=joining_link(address, one.code),
                        expires_at=one.expires_at,
                    )
                    for one in codes
                ],
            )
            file.write(code_sheet(printed, languages).encode())
    except FileExistsError:
        stop(f"{path} is there already, and may hold codes: name a new file, or delete it. No code was made", USAGE)
    except OSError as error:
        lost = f"the {len(codes)} codes that were made are lost, and go by themselves" if codes else "no code was made"
        stop(f"{path} cannot be written: {error.strerror or error}; {lost}", FAILED)
    return codes


def _address(settings: Config) -> str:
    return settings.public_url.rstrip("/")
