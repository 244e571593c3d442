"""Files of schools, written for tests, and a registry that has taken one in."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from mektep_collector.registry.registry import TOKEN_OVERLAP, Registry, open_registry
from mektep_collector.registry.school_file.columns import COLUMNS
from mektep_collector.registry.school_file.read import SchoolFile, read_school_file
from tests.support.set_time import SetTime

EXAMPLE: Mapping[str, str] = {
    "school_id": "0007",
    "name": "Example school",
    "region": "KZ-61",
    "district": "Example district",
    "time_zone": "Asia/Almaty",
    "pupils": "526",
    "places": "480",
    "technology": "fibre",
    "provider": "Example provider",
    "contract_download_mbps": "30",
    "contract_upload_mbps": "10",
    "contract_from": "2026-01-01",
    "norm_mbps": "",
}


def table(*rows: Mapping[str, str], delimiter: str = ",", columns: tuple[str, ...] = COLUMNS) -> bytes:
    """Return a file whose rows are the example, but for what each row says otherwise."""
    lines = [delimiter.join(columns)]
    lines += [delimiter.join({**EXAMPLE, **row}[name] for name in columns) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def school_file(*rows: Mapping[str, str], columns: tuple[str, ...] = COLUMNS) -> SchoolFile:
    """Return what such a file says."""
    return read_school_file(table(*rows, columns=columns))


class Place(NamedTuple):
    """Where a registry lies: its folder, and its database's address if that is not in there."""

    folder: Path
    url: str = ""


@contextmanager
def registry_with(
    place: Path | Place, time: SetTime, *rows: Mapping[str, str], token_overlap: timedelta = TOKEN_OVERLAP
) -> Generator[Registry, None, None]:
    """Open a registry that has taken in the rows."""
    at = Place(place) if isinstance(place, Path) else place
    registry = open_registry(at.folder, time, Random(1), url=at.url, token_overlap=token_overlap)
    try:
        if rows:
            registry.schools.take_in(school_file(*rows))
        yield registry
    finally:
        registry.close()
