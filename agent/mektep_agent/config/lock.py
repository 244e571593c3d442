"""One process at a time, by a locked file: the system drops the lock with the process, however it ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockedError(Exception):
    """Another process has the folder."""


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """Hold the lock for the block; raises LockedError where another process holds it, and OSError."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, file)
        yield
    finally:
        os.close(descriptor)


def lock_at_once(descriptor: int) -> None:
    """Lock an open file for this process until it is closed. Raises OSError where another process has it."""
    if sys.platform == "win32":
        import msvcrt  # there is none elsewhere

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # there is none on Windows

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock(descriptor: int, file: Path) -> None:
    try:
        lock_at_once(descriptor)
    except OSError:
        raise LockedError(
            f"another mektep-agent uses {file.parent}: stop it first, or give another --state-dir"
        ) from None
