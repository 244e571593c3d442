"""The journal's file looked through for harm, while a collector may be serving."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import apsw

from mektep_collector.finding import Finding, Weight
from mektep_collector.journal.connection import open_reader
from mektep_collector.sqlite_copy import faults_of

JOURNAL = Path("journal") / "journal.sqlite"
_REMEDY = "stop the collector, set this file aside, and restore a backup"
_ENDS = "SELECT count(*), coalesce(min(position), 0), coalesce(max(position), 0) FROM entry"


def journal_findings(data_dir: Path) -> Iterator[Finding]:
    """Return what is to be said of the journal in a data directory."""
    path = data_dir / JOURNAL
    if not path.exists():
        yield Finding(subject="journal", where=str(path), weight=Weight.GOOD, seen="no reading was accepted yet")
        return
    faults = faults_of(path)
    if faults:
        said = "; ".join(faults)
        yield Finding(subject="journal", where=str(path), weight=Weight.FAULT, seen=said, remedy=_REMEDY)
        return
    try:
        count, first, last = _ends(path)
    except apsw.Error as error:
        yield Finding(subject="journal", where=str(path), weight=Weight.FAULT, seen=str(error), remedy=_REMEDY)
        return
    if count and last - first + 1 != count:
        said = f"of the entries {first} to {last} only {count} are there"
        yield Finding(subject="journal", where=str(path), weight=Weight.FAULT, seen=said, remedy=_REMEDY)
    else:
        said = f"sound, {count} entries up to position {last}"
        yield Finding(subject="journal", where=str(path), weight=Weight.GOOD, seen=said)


def journal_position(data_dir: Path) -> int:
    """Return the last entry's position, 0 for none. Raises apsw.Error."""
    path = data_dir / JOURNAL
    return _ends(path)[2] if path.exists() else 0


def _ends(path: Path) -> tuple[int, int, int]:
    connection = open_reader(path)
    try:
        return cast(tuple[int, int, int], connection.execute(_ENDS).fetchone())
    finally:
        connection.close()
