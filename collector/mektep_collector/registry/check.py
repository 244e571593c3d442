"""The registry's file and the signing key looked through for harm, while a collector may be serving."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from mektep_collector.finding import Finding, Weight
from mektep_collector.registry.database import Database
from mektep_collector.registry.error import KeyFileError, RegistryAway
from mektep_collector.registry.registry import DATABASE, KEY
from mektep_collector.registry.signing_key import open_signing_key
from mektep_collector.registry.tables import REVISION
from mektep_collector.sqlite_copy import faults_of

_REMEDY = "stop the collector, set this file aside, and restore a backup"


def registry_findings(data_dir: Path, url: str = "") -> Iterator[Finding]:
    """Return what is to be said of the registry in a data directory, or of its database at `url`, and of its key."""
    if url:
        yield _of_server(url)
    else:
        yield from _of_file(data_dir)
        if not (data_dir / DATABASE).exists():
            return
    yield _of_key(data_dir / KEY)


def _of_server(url: str) -> Finding:
    address = make_url(url)
    where = address.render_as_string(hide_password=True)
    database = Database(address)
    try:
        revision = database.revision()
    except RegistryAway as error:
        remedy = "start the database, or mend `registry_url`"
        return Finding(subject="registry", where=where, weight=Weight.FAULT, seen=str(error), remedy=remedy)
    finally:
        database.close()
    if revision == REVISION:
        return Finding(subject="registry", where=where, weight=Weight.GOOD, seen=f"it answers, with tables {revision}")
    said = f"its tables are {revision or 'not there'}, this program's are {REVISION}"
    remedy = "start the collector, which brings them up to date"
    return Finding(subject="registry", where=where, weight=Weight.WARNING, seen=said, remedy=remedy)


def _of_file(data_dir: Path) -> Iterator[Finding]:
    database = data_dir / DATABASE
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


def _of_key(key: Path) -> Finding:
    if not key.exists():
        said, remedy = "the signing key is missing: agents trust no other", "restore it from a backup"
        return Finding(subject="registry", where=str(key), weight=Weight.FAULT, seen=said, remedy=remedy)
    try:
        open_signing_key(key)
    except KeyFileError as error:
        return Finding(subject="registry", where=str(key), weight=Weight.FAULT, seen=str(error), remedy=_REMEDY)
    said = "the signing key is there and private"
    return Finding(subject="registry", where=str(key), weight=Weight.GOOD, seen=said)
