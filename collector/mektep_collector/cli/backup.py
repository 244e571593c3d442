"""`mektep-collector backup` and `restore`: the data directory, copied while the collector serves."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from mektep_collector.backup.contents import BackupError, Contents
from mektep_collector.backup.make import RegistryKept, make_backup
from mektep_collector.backup.restore import restore_backup
from mektep_collector.cli.opened_store import store_files
from mektep_collector.cli.settled import FAILED, USAGE, AsJson, ConfigFile, DataDir, settle, show_json, stop, tell
from mektep_collector.config import ConfigError


def backup(
    folder: Annotated[Path, typer.Argument(help="New folder that the backup is made into.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Back up registry, keys, journal and store; the collector may serve meanwhile. The backup holds secrets."""
    settings = settle(config, {"data_dir": data_dir}).config
    try:
        with bars() as progress:
            files = store_files(settings)
            kept = RegistryKept.ELSEWHERE if settings.registry_url else RegistryKept.HERE
            contents = make_backup(settings.data_path(), folder, files, kept, datetime.now(UTC), progress)
    except ConfigError as error:
        stop(str(error), USAGE)
    except BackupError as error:
        stop(str(error), FAILED)
    _tell(contents, f"{folder} holds", as_json=as_json)
    if settings.registry_url:
        tell("the registry is in PostgreSQL: back it up there too (pg_dump)")


def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of a backup.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Make a data directory, which must be absent or empty, from a backup, once each file's hash was checked."""
    target = settle(config, {"data_dir": data_dir}).config.data_path()
    try:
        with bars() as progress:
            contents = restore_backup(folder, target, progress)
    except BackupError as error:
        stop(str(error), FAILED)
    _tell(contents, f"{target} now holds", as_json=as_json)


@contextmanager
def bars() -> Generator[Callable[[str, int, int], None], None, None]:
    """Give what tells how far a long work is: a bar for each part on a terminal, nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        tasks = {}

        def told(part: str, done: int, whole: int) -> None:
            if part not in tasks:
                tasks[part] = shown.add_task(part, total=whole)
            shown.update(tasks[part], completed=done, total=whole)

        yield told


def _tell(contents: Contents, what: str, *, as_json: bool) -> None:
    size_bytes = sum(kept.size_bytes for kept in contents.files)
    if as_json:
        show_json({"made_at": contents.made_at, "files_count": len(contents.files), "size_bytes": size_bytes})
        return
    tell(f"{what} {len(contents.files)} files, {size_bytes / 1e6:.1f} MB, as of {contents.made_at:%Y-%m-%d %H:%M} UTC")
