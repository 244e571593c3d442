"""`mektep-collector doctor`: everything that is kept, looked through for harm."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw
import typer

from mektep_collector.cli.backup import bars
from mektep_collector.cli.opened_store import StoreFiles, store_files
from mektep_collector.cli.settled import DEGRADED, FAILED, USAGE, AsJson, ConfigFile, DataDir, settle, show_json, stop
from mektep_collector.config import ConfigError
from mektep_collector.config.registry_url import registry_url
from mektep_collector.finding import Finding, Weight
from mektep_collector.journal.check import journal_findings, journal_position
from mektep_collector.journal.connection import UnsoundSqliteError, require_sound_sqlite
from mektep_collector.registry.check import registry_findings

_LEAST_FREE_BYTES: Final = 2_000_000_000
_SIGNS: Final = {Weight.GOOD: "ok", Weight.WARNING: "warning", Weight.FAULT: "FAULT"}


def doctor(as_json: AsJson = False, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Check registry, journal and store, each file of a closed day by its hash; the collector may serve meanwhile.

    Ends with 1 where something is harmed, with 3 where something wants attention.
    """
    settings = settle(config, {"data_dir": data_dir}).config
    folder = settings.data_path()
    try:
        files = store_files(settings)
        address = registry_url(settings)
    except ConfigError as error:
        stop(str(error), USAGE)
    with bars() as progress:
        found = [
            *_program_findings(),
            *_disk_findings(folder),
            *registry_findings(folder, address),
            *journal_findings(folder),
            *files.findings(progress),
            *_order_findings(folder, files),
        ]
    worst = next(
        (weight for weight in (Weight.FAULT, Weight.WARNING) if any(one.weight is weight for one in found)), None
    )
    if as_json:
        show_json({"findings": found})
    else:
        for one in found:
            typer.echo(f"{_SIGNS[one.weight]:8} {one.subject:9} {one.where}: {one.seen}")
            if one.remedy:
                typer.echo(f"{'':18} to do: {one.remedy}")
    if worst is not None:
        raise typer.Exit(FAILED if worst is Weight.FAULT else DEGRADED)


def _program_findings() -> Iterator[Finding]:
    try:
        require_sound_sqlite()
    except UnsoundSqliteError as error:
        yield Finding(
            subject="program", where="apsw", weight=Weight.FAULT, seen=str(error), remedy="install a newer apsw"
        )
    else:
        yield Finding(subject="program", where="apsw", weight=Weight.GOOD, seen=f"SQLite {apsw.sqlite_lib_version()}")


def _disk_findings(folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        return
    free_bytes = shutil.disk_usage(folder).free
    is_low = free_bytes < _LEAST_FREE_BYTES
    yield Finding(
        subject="disk",
        where=str(folder),
        weight=Weight.WARNING if is_low else Weight.GOOD,
        seen=f"{free_bytes / 1e9:.1f} GB are free",
        remedy="make room, or move the data directory to a larger disk, before acceptance stops" if is_low else "",
    )


def _order_findings(folder: Path, files: StoreFiles) -> Iterator[Finding]:
    """Tell whether store and journal belong together."""
    try:
        stored, journalled = files.position(), journal_position(folder)
    except apsw.Error:
        return
    if stored > journalled:
        yield Finding(
            subject="store",
            where=str(folder / "store"),
            weight=Weight.FAULT,
            seen=f"the store has taken in entry {stored}, the journal ends at {journalled}: it is another one",
            remedy="set the store's directory or InfluxDB's database aside, and it is made again from the journal",
        )
    else:
        seen = f"{journalled - stored} entries of the journal wait for the store"
        yield Finding(subject="store", where=str(folder / "store"), weight=Weight.GOOD, seen=seen)
