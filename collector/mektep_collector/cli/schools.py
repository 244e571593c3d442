"""`mektep-collector schools`: the registry of schools, imported from a file."""

import sys
from pathlib import Path
from typing import Annotated

import typer

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
from mektep_collector.registry.comparison import Comparison
from mektep_collector.registry.school_file.fault import SchoolFileError
from mektep_collector.registry.school_file.read import SchoolFile, read_school_file
from mektep_collector.simulate.enrolment import SimulatedFleetError, check_import
from mektep_collector.sla.norm import norm_of

_SHOWN_COUNT = 200

app = typer.Typer(no_args_is_help=True, help="Schools and their contracts.")


@app.callback()
def _schools() -> None:
    """Schools and their contracts."""


@app.command("import")
def import_schools(
    file: Annotated[Path, typer.Argument(help="CSV in UTF-8, cells divided by commas or semicolons, with a header.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before changing.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Import schools from a file: all rows, or, where one has a fault, none. Shows what changes before it changes.

    A school that the file does not name stays. A contract with a later day than the last follows it and leaves the
    months before alone.
    """
    settings = settle(config, {"data_dir": data_dir}).config
    read = _read(file, as_json)
    for note in read.notes:
        tell(f"{file}: {note}")
    with opened_registry(settings) as registry:
        try:
            check_import(registry)
        except SimulatedFleetError as error:
            stop(str(error), FAILED)
        comparison = registry.schools.compare(read)
        if not as_json or not yes:
            _tell_changes(comparison)
        changes_anything = bool(comparison.added or comparison.changed)
        if changes_anything and not dry_run:
            if not yes:
                _ask()
            comparison = registry.schools.take_in(read, operator())
            tell("Imported.")
    if as_json:
        show_json(_result(comparison, read, changes_anything and not dry_run))


@app.command("list")
def list_schools(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """List the schools, each with the contract in force today and the norm."""
    with opened_registry(settle(config, {"data_dir": data_dir}).config) as registry:
        schools = registry.schools.all()
    if as_json:
        show_json({"schools": schools})
        return
    for school in schools:
        contract = "no contract"
        if school.commitment is not None:
            commitment = school.commitment
            contract = f"{commitment.provider} {commitment.download_mbps:g}/{commitment.upload_mbps:g} Mbit/s"
        typer.echo(f"{school.id}  {school.region}  {school.name}  {contract}  norm {norm_of(school).mbps:g} Mbit/s")
    tell(f"{len(schools)} schools")


def _read(file: Path, as_json: bool) -> SchoolFile:
    try:
        return read_school_file(file.read_bytes())
    except OSError as error:
        stop(f"{file} cannot be read: {error.strerror or error}", FAILED)
    except SchoolFileError as error:
        for fault in error.faults:
            tell(f"{file}: {fault}")
        if as_json:
            show_json({"applied": False, "faults": error.faults})
        stop(f"nothing was imported: {len(error.faults)} faults in {file}", FAILED)


def _tell_changes(comparison: Comparison) -> None:
    for school in comparison.added[:_SHOWN_COUNT]:
        tell(f"+ {school.id}  {school.region}  {school.name}")
    for change in comparison.changes[:_SHOWN_COUNT]:
        tell(f"~ {change.school_id}  {change.field}: {change.before or '(empty)'} -> {change.after or '(empty)'}")
    for school_id in comparison.absent[:_SHOWN_COUNT]:
        tell(f"  {school_id}  is not in the file; it stays")
    longest = max(len(comparison.added), len(comparison.changes), len(comparison.absent))
    if longest > _SHOWN_COUNT:
        tell(f"  ... of each kind only the first {_SHOWN_COUNT} are shown; --json has them all")
    tell(
        f"{len(comparison.added)} added, {len(comparison.changed)} changed, {len(comparison.unchanged)} unchanged, "
        f"{len(comparison.absent)} not in the file"
    )


def _ask() -> None:
    if not sys.stdin.isatty():
        stop("nothing was imported; add --yes to import without being asked", USAGE)
    if not typer.confirm("Import this?", err=True):
        stop("nothing was imported", FAILED)


def _result(comparison: Comparison, read: SchoolFile, applied: bool) -> dict[str, object]:
    return {
        "applied": applied,
        "added": [school.id for school in comparison.added],
        "changed": comparison.changes,
        "unchanged": comparison.unchanged,
        "absent": comparison.absent,
        "notes": read.notes,
        "faults": [],
    }
