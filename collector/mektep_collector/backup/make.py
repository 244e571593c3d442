"""A backup is made part by part, in the order that keeps its parts fit for each other.

The store is copied first, then the journal, which is then at least as far as the store, then the registry, which knows
every device that the journal names.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import apsw
import msgspec

from mektep_collector.backup.contents import NAME, BackupError, Contents, Kept
from mektep_collector.durable import copy, sha256_of, sync, write
from mektep_collector.journal.check import JOURNAL
from mektep_collector.registry.registry import DATABASE, KEY
from mektep_collector.sqlite_copy import copy_database
from mektep_collector.store.error import StoreError
from mektep_wire import VERSION

_PRIVATE = 0o700
COLLECTOR_ID = Path("collector.id")
"""Which of several collectors this is: the devices of its journal belong to that name."""

Progress = Callable[[str, int, int], None]
"""Told what is being copied, how much is done, and of how much."""


class StoreFiles(Protocol):
    """What a backup needs of a store that keeps files in the data directory."""

    def copy(self, target: Path, progress: Progress) -> None:
        """Copy one state of the store into the data directory `target`, while others write. Raises OSError."""
        ...


class RegistryKept(StrEnum):
    """Where the registry's tables are."""

    HERE = "here"
    ELSEWHERE = "elsewhere"


def make_backup(
    data_dir: Path, target: Path, store: StoreFiles, registry: RegistryKept, now: datetime, progress: Progress
) -> Contents:
    """Back up a data directory into the new folder `target`; the collector may serve meanwhile.

    A registry that is elsewhere is for its own server to back up. The folder has its name only once all is on disk.
    Raises BackupError; nothing is left behind then.
    """
    unfinished = target.with_name(target.name + ".unfinished")
    if target.exists():
        raise BackupError(f"{target} exists; a backup is made into a new folder, name another")
    sign = DATABASE if registry is RegistryKept.HERE else KEY
    if not (data_dir / sign).exists():
        raise BackupError(f"{data_dir} holds no collector's data: {sign} is missing; name it with --data-dir")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=_PRIVATE, parents=True)
        _copy(data_dir, unfinished, store, registry, progress)
        contents = Contents(made_at=now, collector_version=VERSION, files=tuple(_listed(unfinished, progress)))
        write(unfinished / NAME, msgspec.json.format(msgspec.json.encode(contents), indent=1))
        unfinished.rename(target)
        sync(target.parent)
    except (OSError, apsw.Error, StoreError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise BackupError(f"{data_dir} cannot be backed up into {target}: {error}; nothing was left there") from error
    return contents


def _copy(data_dir: Path, target: Path, store: StoreFiles, registry: RegistryKept, progress: Progress) -> None:
    store.copy(target, progress)
    if (data_dir / JOURNAL).exists():
        _database(data_dir, target, JOURNAL, progress)
    if registry is RegistryKept.HERE:
        _database(data_dir, target, DATABASE, progress)
    copy(data_dir / KEY, target / KEY)
    if (data_dir / COLLECTOR_ID).exists():
        copy(data_dir / COLLECTOR_ID, target / COLLECTOR_ID)


def _database(data_dir: Path, target: Path, path: Path, progress: Progress) -> None:
    (target / path).parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    copy_database(data_dir / path, target / path, lambda done, whole: progress(str(path), done, whole))
    sync(target / path)


def _listed(folder: Path, progress: Progress) -> Iterator[Kept]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for done, path in enumerate(paths, start=1):
        sync(path.parent)
        kept_path = path.relative_to(folder).as_posix()
        yield Kept(path=kept_path, sha256=sha256_of(path), size_bytes=path.stat().st_size)
        progress("hashes", done, len(paths))
