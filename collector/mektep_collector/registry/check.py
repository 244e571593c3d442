"""The registry's file and the signing key looked through for harm, while a collector may be serving."""

from collections.abc import Iterator
from pathlib import Path

from mektep_collector.finding import Finding, Weight
from mektep_collector.registry.error import KeyFileError
from mektep_collector.registry.registry import DATABASE, KEY
from mektep_collector.registry.signing_key import open_signing_key
from mektep_collector.sqlite_copy import faults_of

_REMEDY = "stop the collector, set this file aside, and restore a backup"


def registry_findings(data_dir: Path) -> Iterator[Finding]:
    """Return what is to be said of the registry in a data directory."""
    database, key = data_dir / DATABASE, data_dir / KEY
    if not database.exists():
        said, remedy = "there is none", "name the collector's folder with --data-dir"
        yield Finding(subject="registry", where=str(database), weight=Weight.FAULT, seen=said, remedy=remedy)
        return
    faults = faults_of(database)
    yield Finding(
        subject="registry",
        where=str(database),
        weight=Weight.FAULT if faults else Weight.GOOD,
        seen="; ".join(faults) or "sound",
        remedy=_REMEDY if faults else "",
    )
    if not key.exists():
        said, remedy = "the signing key is missing: agents trust no other", "restore it from a backup"
        yield Finding(subject="registry", where=str(key), weight=Weight.FAULT, seen=said, remedy=remedy)
        return
    try:
        open_signing_key(key)
    except KeyFileError as error:
        yield Finding(subject="registry", where=str(key), weight=Weight.FAULT, seen=str(error), remedy=_REMEDY)
    else:
        yield Finding(
            subject="registry", where=str(key), weight=Weight.GOOD, seen="the signing key is there and private"
        )
