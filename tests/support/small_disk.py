"""A disk of its own that is too small, as a mount of memory: takes root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[None]:
    """Mount one at the new folder `folder` for the time of the block."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        # Lazily: a test that failed may have files open still.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def resize(folder: Path, size_kib: int) -> None:
    """Give a mounted disk another size."""
    subprocess.run(["mount", "-o", f"remount,size={size_kib}k", str(folder)], check=True)


def fill(folder: Path, room_bytes: int) -> Path:
    """Fill a disk with a file but for `room_bytes`; return the file."""
    free = os.statvfs(folder)
    filler = folder / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - room_bytes))
    return filler
