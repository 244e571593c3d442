"""What a backup holds: its own list, with the hash of each file."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec

NAME: Final = "backup.json"
VERSION: Final = 1
_Count = Annotated[int, msgspec.Meta(ge=0)]


class BackupError(Exception):
    """A backup cannot be made or used; the message says why and what to do."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One file, by its path within the data directory."""

    path: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: _Count


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """A backup: when it was begun, by which version, and its files."""

    version: int = VERSION
    made_at: datetime
    collector_version: str
    files: tuple[Kept, ...]


def read_contents(folder: Path) -> Contents:
    """Return what a backup says that it holds. Raises BackupError."""
    path = folder / NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Contents)
    except FileNotFoundError:
        raise BackupError(
            f"{folder} is no whole backup: it has no {NAME}; name the folder that `backup` made"
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise BackupError(f"{path} cannot be read: {error}; use another backup") from error
    if found.version > VERSION:
        raise BackupError(f"{folder} was made by a newer collector (version {found.version}); restore it with that one")
    return found
