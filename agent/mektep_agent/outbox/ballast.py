"""Space held back on the disk: on a full disk even deleting needs room for SQLite's journal, and this gives it.

See SQLite's behaviour on a full disk (SQLITE_FULL): the transaction rolls back cleanly, deletes included.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

_ROOM_FACTOR = 4
_CHUNK_BYTES = 65_536


class Ballast:
    """A file of real bytes beside the outbox."""

    def __init__(self, file: Path, size_bytes: int) -> None:
        self._file = file
        self._size_bytes = size_bytes

    def hold(self) -> bool:
        """Take the space if it is not held and the disk has plenty; say whether it is held, or is not wanted."""
        if self._size_bytes == 0 or self._is_held():
            return True
        if shutil.disk_usage(self._file.parent).free < self._size_bytes * _ROOM_FACTOR:
            return False
        fresh = self._file.with_name(self._file.name + ".new")
        try:
            with fresh.open("wb") as stream:
                for _ in range(0, self._size_bytes, _CHUNK_BYTES):
                    # Random bytes: file systems that compress or skip zeros would hold nothing.
                    stream.write(os.urandom(_CHUNK_BYTES))
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self._file)
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            return False
        return True

    def give_up(self) -> bool:
        """Free the space; say whether there was any to free."""
        held = self._is_held()
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
            self._file.with_name(self._file.name + ".new").unlink(missing_ok=True)
        return held

    def _is_held(self) -> bool:
        return self._file.exists()
