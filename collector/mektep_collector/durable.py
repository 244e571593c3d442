"""Files that are there whole or not at all, whatever is killed and whenever the power goes."""

import hashlib
import os
import shutil
from pathlib import Path

_CHUNK_BYTES = 1 << 20
_PRIVATE = 0o700


def settle(unfinished: Path, path: Path) -> None:
    """Give a written file its name for good: its bytes are on disk first, and the name is before this returns.

    Both stand in one folder. Raises OSError.
    """
    sync(unfinished)
    unfinished.replace(path)
    sync(path.parent)


def write(path: Path, content: bytes) -> None:
    """Put `content` in the place of the file, at once. Raises OSError."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(content)
    settle(unfinished, path)


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """Give `target` the bytes of a file that never changes, by a hard link where that can be. Raises OSError."""
    target.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        copy(source, target)


def copy(source: Path, target: Path) -> None:
    """Copy a file with its mode; it is on disk when this returns. Raises OSError."""
    target.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    shutil.copy2(source, target)
    sync(target)
    sync(target.parent)
