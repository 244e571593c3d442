"""Which files hold the closed days: the one word on it, replaced as a whole.

A day's file has every reading of that day (UTC) that the journal's entries up to `through_position` brought. So what
the tables of recent readings still hold up to there is passed over, and a day changes its place in the one step in
which the manifest is replaced: nothing is lost and nothing counts twice, wherever a program is killed.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec

from mektep_collector.durable import write
from mektep_collector.store.error import StoreError

NAME: Final = "manifest.json"
VERSION: Final = 2
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_Position = Annotated[int, msgspec.Meta(ge=0)]


class Kept(StrEnum):
    """What a file has of a day's readings."""

    READINGS = "readings"
    """All of them, whole."""
    RUNS = "runs"
    """Of each: whose it is, when it was made and by what, how it ended, and its values."""


class DayFile(msgspec.Struct, frozen=True, kw_only=True):
    """One closed day. `day` is its UTC date; `name` stands beside the manifest."""

    day: date
    name: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{12}(\.runs)?\.parquet$")]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: _Position
    reading_count: _Position
    through_position: _Position
    closed_at: datetime
    kept: Kept = Kept.READINGS


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The files in force, by day. Days up to `retired_through` have gone by the rule of retention."""

    version: int = VERSION
    retired_through: date | None = None
    files: tuple[DayFile, ...] = ()

    def through(self) -> Mapping[int, int]:
        """Return by the day's number up to which position a file has it."""
        return {number_of(file.day): file.through_position for file in self.files}

    def file_of(self, day: date) -> DayFile | None:
        """Return the file of a day, None where the day is open."""
        return next((file for file in self.files if file.day == day), None)

    def with_file(self, closed: DayFile) -> "Manifest":
        """Return the manifest with this file in the place of the day's older one."""
        kept = [file for file in self.files if file.day != closed.day]
        files = tuple(sorted([*kept, closed], key=lambda file: file.day))
        return msgspec.structs.replace(self, version=VERSION, files=files)

    def without(self, gone: Iterable[date]) -> "Manifest":
        """Return the manifest without the files of some days, of which there is at least one."""
        days = set(gone)
        last = max(days) if self.retired_through is None else max(self.retired_through, *days)
        left = tuple(file for file in self.files if file.day not in days)
        return msgspec.structs.replace(self, version=VERSION, files=left, retired_through=last)


def number_of(day: date) -> int:
    """Return how many days after 1 January 1970 a day is."""
    return day.toordinal() - _EPOCH_ORDINAL


def date_of(number: int) -> date:
    """Return the day that is `number` days after 1 January 1970."""
    return date.fromordinal(number + _EPOCH_ORDINAL)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest in `folder`, an empty one where there is none. Raises StoreError for one that cannot be."""
    path = folder / NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return Manifest()
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(
            f"{path} cannot be read as a manifest: {error}; restore a backup, or set the store's directory aside, and "
            "it is made again from the journal"
        ) from error
    if found.version > VERSION:
        raise StoreError(
            f"{path} was written by a newer collector (version {found.version}, this one knows {VERSION}); "
            "start that collector again"
        )
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in `folder`; it is on disk when this returns. Raises OSError."""
    write(folder / NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
