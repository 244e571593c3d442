"""A disk that is full on order, for all SQLite files that apsw opens under a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

_NAME = "full-disk"


class FullDisk:
    """`is_full` says whether files under `folder` can be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_full = False
        self.refusals_count = 0

    def check(self, path: Path) -> None:
        """Refuse a write as a full disk does. Raises apsw.FullError."""
        if self.is_full and path.is_relative_to(self.folder):
            self.refusals_count += 1
            raise apsw.FullError("no space left on device")


class _File(apsw.VFSFile):
    def __init__(self, base: str, name: str | apsw.URIFilename | None, flags: list[int], disk: FullDisk) -> None:
        super().__init__(base, name, flags)
        self._path = Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name))
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.check(self._path)
        super().xWrite(data, offset)

    def xLock(self, level: int) -> None:
        # As tests/support/power_cut.py: a refusal here is an answer to SQLite, not an error of whoever closed.
        try:
            super().xLock(level)
        except apsw.IOError as error:
            raise apsw.BusyError(str(error)) from error


class _FileSystem(apsw.VFS):
    def __init__(self, disk: FullDisk) -> None:
        self._disk = disk
        self._base = apsw.vfs_names()[0]
        super().__init__(_NAME, self._base, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _File(self._base, name, flags, self._disk)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        if Path(name).exists():
            super().xDelete(name, sync_folder)


@contextmanager
def full_disk(folder: Path) -> Iterator[FullDisk]:
    """Let all SQLite files that apsw opens in the block be on such a disk."""
    disk = FullDisk(folder)
    system = _FileSystem(disk)
    try:
        yield disk
    finally:
        system.unregister()
