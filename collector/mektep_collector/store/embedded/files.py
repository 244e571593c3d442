"""The embedded store's files as a backup and a check see them, while a collector may be serving."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import msgspec

from mektep_collector.durable import link_or_copy, sha256_of, sync, write
from mektep_collector.finding import Finding, Weight
from mektep_collector.journal.connection import open_reader
from mektep_collector.sqlite_copy import copy_database, faults_of
from mektep_collector.store.embedded.closing import DAYS, RECENT
from mektep_collector.store.embedded.day_file import open_day
from mektep_collector.store.embedded.day_files import stray_files
from mektep_collector.store.embedded.manifest import NAME, DayFile, read_manifest
from mektep_collector.store.error import StoreError

STORE = Path("store")
_ATTEMPTS = 10
_REMEDY = "restore a backup, or set the store's directory aside, and it is made again from the journal"

Progress = Callable[[str, int, int], None]


class EmbeddedFiles:
    """The files of the embedded store in a data directory."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / STORE

    def copy(self, target: Path, progress: Progress) -> None:
        """Copy one state into the data directory `target`. Raises OSError, apsw.Error and StoreError.

        Recent readings go first: a day that is closed meanwhile is then in its file, and what the tables still hold of
        it is passed over. The other way round it would be in neither.
        """
        recent = self._folder / RECENT
        if not recent.exists():
            return
        into = target / STORE
        into.mkdir(parents=True)
        copy_database(recent, into / RECENT, lambda done, whole: progress(str(STORE / RECENT), done, whole))
        sync(into / RECENT)
        for _ in range(_ATTEMPTS):
            if self._copy_days(into / DAYS, progress):
                return
        raise StoreError("days were closed faster than they could be copied; try again")

    def position(self) -> int:
        """Return the journal's position that the store has reached, 0 for none. Raises apsw.Error."""
        recent = self._folder / RECENT
        if not recent.exists():
            return 0
        connection = open_reader(recent)
        try:
            return cast(int, connection.execute("SELECT position FROM progress").get)
        finally:
            connection.close()

    def findings(self, progress: Progress) -> Iterator[Finding]:
        """Return what is to be said of each file, the good ones together."""
        recent = self._folder / RECENT
        if not recent.exists():
            yield _finding(self._folder, Weight.GOOD, "nothing is kept there yet")
            return
        faults = faults_of(recent)
        if faults:
            yield _finding(recent, Weight.FAULT, "; ".join(faults), _REMEDY)
        else:
            yield _finding(recent, Weight.GOOD, "sound")
        try:
            manifest = read_manifest(self._folder / DAYS)
        except StoreError as error:
            yield _finding(self._folder / DAYS / NAME, Weight.FAULT, str(error), _REMEDY)
            return
        sound_count = 0
        for done, file in enumerate(manifest.files, start=1):
            harm = _harm(self._folder / DAYS, file)
            if harm is None:
                sound_count += 1
            else:
                yield _finding(self._folder / DAYS / file.name, Weight.FAULT, harm, _REMEDY)
            progress("closed days", done, len(manifest.files))
        yield _finding(
            self._folder / DAYS, Weight.GOOD, f"{sound_count} of {len(manifest.files)} closed days are sound"
        )
        for stray in stray_files(self._folder / DAYS, manifest) if (self._folder / DAYS).exists() else []:
            said = "no manifest names it: a day is being closed now, or a killed program left it"
            yield _finding(stray, Weight.WARNING, said, "nothing: the collector clears it away within some minutes")

    def _copy_days(self, into: Path, progress: Progress) -> bool:
        """Copy the closed days in force; False where one was replaced meanwhile."""
        manifest = read_manifest(self._folder / DAYS)
        into.mkdir(exist_ok=True)
        for done, file in enumerate(manifest.files, start=1):
            if not (into / file.name).exists():
                try:
                    link_or_copy(self._folder / DAYS / file.name, into / file.name)
                except FileNotFoundError:
                    return False
            progress("closed days", done, len(manifest.files))
        for stray in stray_files(into, manifest):
            stray.unlink()
        write(into / NAME, msgspec.json.encode(manifest))
        return True


def _harm(folder: Path, file: DayFile) -> str | None:
    path = folder / file.name
    try:
        if sha256_of(path) != file.sha256:
            return f"its bytes are not those of {file.closed_at:%Y-%m-%d %H:%M} UTC, when the day was closed"
        found = open_day(path).metadata.num_rows
    except (OSError, StoreError) as error:
        return str(error)
    return None if found == file.reading_count else f"it has {found} readings, the manifest says {file.reading_count}"


def _finding(where: Path, weight: Weight, seen: str, remedy: str = "") -> Finding:
    return Finding(subject="store", where=str(where), weight=weight, seen=seen, remedy=remedy)
