"""The files of closed days in force, and who reads them: a file that was replaced goes when nobody reads it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mektep_collector.store.embedded.manifest import NAME, Manifest, read_manifest, write_manifest

_PATIENCE_S = 5.0


class DayFiles:
    """The folder of closed days, which is made if absent. Raises StoreError for a manifest that cannot be."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._manifest = read_manifest(folder)
        self._lenders_count = 0
        self._changed = threading.Condition()

    @property
    def manifest(self) -> Manifest:
        """What is in force now."""
        return self._manifest

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Keep every file in place that the manifest names from now on, for the time of the block."""
        with self._changed:
            self._lenders_count += 1
        try:
            yield
        finally:
            with self._changed:
                self._lenders_count -= 1
                self._changed.notify_all()

    def put_in_force(self, manifest: Manifest) -> None:
        """Replace the manifest on disk, and only then what readers see. Raises OSError; the older one stays then."""
        write_manifest(self._folder, manifest)
        self._manifest = manifest

    def clear(self) -> list[str]:
        """Delete what no manifest names, unless someone reads for longer than some seconds; returns their names.

        These are files that a newer one replaced, and what a killed program left unfinished. Raises OSError.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._lenders_count == 0, _PATIENCE_S):
                return []
            gone = stray_files(self._folder, self._manifest)
            for path in gone:
                path.unlink()
        return [path.name for path in gone]


def stray_files(folder: Path, manifest: Manifest) -> list[Path]:
    """Return the files of this store's making in `folder` that the manifest does not name."""
    kept = {NAME, *(file.name for file in manifest.files)}
    return [
        path
        for path in sorted(folder.iterdir())
        if path.name not in kept and path.name.endswith((".parquet", ".unfinished"))
    ]
