"""A data directory made again from a backup, after each of its files was checked."""

import shutil
from pathlib import Path

from mektep_collector.backup.contents import BackupError, Contents, Kept, read_contents
from mektep_collector.backup.make import Progress
from mektep_collector.durable import copy, sha256_of, sync

_PRIVATE = 0o700


def check_backup(folder: Path, progress: Progress) -> Contents:
    """Return what a backup holds, once every file of it has the hash that it had. Raises BackupError."""
    contents = read_contents(folder)
    harmed = []
    for done, kept in enumerate(contents.files, start=1):
        if (said := _harm(folder, kept)) is not None:
            harmed.append(said)
        progress("check", done, len(contents.files))
    if harmed:
        raise BackupError(f"the backup {folder} is harmed: {'; '.join(harmed)}; use another backup")
    return contents


def restore_backup(folder: Path, data_dir: Path, progress: Progress) -> Contents:
    """Make `data_dir`, which must be absent or empty, from a backup; it has its name only once all is on disk.

    Raises BackupError; nothing has changed then.
    """
    if data_dir.exists() and any(data_dir.iterdir()):
        raise BackupError(f"{data_dir} is not empty; set it aside first, a restore never writes over data")
    contents = check_backup(folder, progress)
    unfinished = data_dir.with_name(data_dir.name + ".unfinished")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=_PRIVATE, parents=True)
        for done, kept in enumerate(contents.files, start=1):
            copy(folder / kept.path, unfinished / kept.path)
            progress("restore", done, len(contents.files))
        if data_dir.exists():
            data_dir.rmdir()
        unfinished.rename(data_dir)
        sync(data_dir.parent)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise BackupError(f"{folder} cannot be restored to {data_dir}: {error}; nothing has changed") from error
    return contents


def _harm(folder: Path, kept: Kept) -> str | None:
    path = folder / kept.path
    try:
        if path.stat().st_size != kept.size_bytes:
            return f"{kept.path} has {path.stat().st_size} bytes, it had {kept.size_bytes}"
        return None if sha256_of(path) == kept.sha256 else f"{kept.path} has other bytes than it had"
    except OSError as error:
        return f"{kept.path} cannot be read ({error.strerror or error})"
