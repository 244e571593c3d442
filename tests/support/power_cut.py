"""A disk as a power cut leaves it: of every SQLite file what had been synced, and nothing that had not.

SQLite asks its virtual file system for each sync. This one passes everything on to the system's own, and remembers what
each file held when it was last synced.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import apsw

_NAME = "power-cut"
_PAGE_BYTES = 4_096


class Disk:
    """What would be left of the files under `folder`. Safe for many threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._synced: dict[Path, bytes] = {}
        self._guard = threading.Lock()
        self.syncs_count = 0

    def synced(self, path: Path) -> None:
        """Remember a file as it is now."""
        if not path.is_relative_to(self._folder):
            return
        with self._guard:
            self.syncs_count += 1
            self._synced[path] = path.read_bytes()

    def deleted(self, path: Path) -> None:
        """Forget a file."""
        with self._guard:
            self._synced.pop(path, None)

    def cut(self, into: Path, draw: Random | None = None) -> None:
        """Write what a power cut now would leave into the new folder `into`.

        With `draw`, some of the pages that were written since the last sync are there too, as a disk may have done them
        already, in any order.
        """
        with self._guard:
            synced = dict(self._synced)
        for path, octets in synced.items():
            target = into / path.relative_to(self._folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_with_some(octets, path, draw) if draw is not None else octets)


def _with_some(synced: bytes, path: Path, draw: Random) -> bytes:
    """Return what was synced with each later page that a coin falls for."""
    try:
        now = path.read_bytes()
    except FileNotFoundError:
        return synced
    left = bytearray(synced)
    for at in range(0, len(now), _PAGE_BYTES):
        page = now[at : at + _PAGE_BYTES]
        if left[at : at + _PAGE_BYTES] != page and draw.random() < 0.5:
            left.extend(bytes(max(0, at + len(page) - len(left))))
            left[at : at + len(page)] = page
    return bytes(left)


class _File(apsw.VFSFile):
    def __init__(self, base: str, name: str | apsw.URIFilename | None, flags: list[int], disk: Disk) -> None:
        super().__init__(base, name, flags)
        self._path = Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name))
        self._disk = disk

    def xLock(self, level: int) -> None:
        # The last reader that closes tries to lock a file that it may only read. SQLite takes the refusal for an
        # answer; here it would be raised as an error of whoever closed, unless it says that the file is busy.
        try:
            super().xLock(level)
        except apsw.IOError as error:
            raise apsw.BusyError(str(error)) from error

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._disk.synced(self._path)


class _FileSystem(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._base = apsw.vfs_names()[0]
        super().__init__(_NAME, self._base, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _File(self._base, name, flags, self._disk)

    def xDelete(self, name: str, sync_folder: bool) -> None:
        # SQLite deletes what may not be there; a refusal here would be raised as an error of whoever asked SQLite.
        if Path(name).exists():
            super().xDelete(name, sync_folder)
        self._disk.deleted(Path(name))


@contextmanager
def remembered(folder: Path) -> Iterator[Disk]:
    """Let all SQLite files that are opened in the block be those of a disk whose power may be cut."""
    disk = Disk(folder)
    system = _FileSystem(disk)
    try:
        yield disk
    finally:
        system.unregister()
