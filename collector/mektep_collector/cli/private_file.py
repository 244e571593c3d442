"""A new file for secrets that a command hands out."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_OWNER_ALONE = 0o600


@contextmanager
def new_private_file(path: Path) -> Generator[BinaryIO, None, None]:
    """Make a file that its owner alone may read, and give it to be written; it is on disk when the block ends.

    It never takes the place of another file: FileExistsError. Where the block raises, no file is left. Raises OSError.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _OWNER_ALONE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
