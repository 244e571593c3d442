"""One line of the file becomes one school, with every fault that it has."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec

from mektep_collector.registry.records import Commitment, School, Technology
from mektep_collector.registry.school_file import cell
from mektep_collector.registry.school_file.columns import CONTRACT_COLUMNS, REQUIRED_COLUMNS
from mektep_collector.registry.school_file.fault import Fault
from mektep_collector.registry.school_file.letters import mend_letters

T = TypeVar("T")

_DEFAULT_ZONE = "Asia/Almaty"
_MOST_NAME = 300
_MOST_LABEL = 200
_MENDED = ("name", "district", "provider")


class Row(msgspec.Struct, frozen=True):
    """The cells of a record, and the line in which it begins."""

    line: int
    cells: list[str]


class _Reading:
    """Reads the cells of one row by name and keeps what is wrong with them."""

    def __init__(self, row: Row, header: list[str]) -> None:
        self._row = row
        self._header = header
        self._texts = dict(zip(header, row.cells, strict=False))
        self.faults: list[Fault] = []
        self.notes: list[Fault] = []
        for name in _MENDED:
            self._mend(name)

    def text(self, name: str) -> str:
        return self._texts.get(name, "")

    def value(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return what the cell says, None where it is empty, absent or wrong."""
        text = self.text(name)
        if not text:
            if name in REQUIRED_COLUMNS:
                self.complain(name, "it is empty")
            return None
        try:
            return read(text)
        except ValueError as error:
            self.complain(name, str(error))
            return None

    def complain(self, name: str, reason: str) -> None:
        self.faults.append(self._fault(name, reason))

    def _mend(self, name: str) -> None:
        mended = mend_letters(self.text(name))
        if mended != self.text(name):
            self.notes.append(self._fault(name, f"Latin letters in Cyrillic words were mended: {mended}"))
            self._texts[name] = mended

    def _fault(self, name: str, reason: str) -> Fault:
        return Fault(line=self._row.line, column=self._header.index(name) + 1, name=name, reason=reason)


def read_row(row: Row, header: list[str]) -> tuple[School | None, list[Fault], list[Fault]]:
    """Return the school, None where anything is wrong; the faults; and notes of what was mended."""
    if len(row.cells) != len(header):
        reason = f"it has {len(row.cells)} cells, the header {len(header)}; quote a cell that holds a delimiter"
        return None, [Fault(line=row.line, column=0, name="", reason=reason)], []
    reading = _Reading(row, header)
    label = partial(cell.label, most_length=_MOST_LABEL)
    fields = {
        "id": reading.value("school_id", cell.school_id),
        "name": reading.value("name", partial(cell.label, most_length=_MOST_NAME)),
        "region": reading.value("region", cell.region),
        "district": reading.value("district", label) or "",
        "time_zone": reading.value("time_zone", cell.time_zone) or _DEFAULT_ZONE,
        "pupils_count": reading.value("pupils", cell.people_count),
        "places_count": reading.value("places", cell.people_count),
        "technology": reading.value("technology", cell.technology) or Technology.UNKNOWN,
        "norm_mbps": reading.value("norm_mbps", cell.rate_mbps),
        "commitment": _commitment(reading, label),
    }
    if reading.faults:
        return None, reading.faults, reading.notes
    return msgspec.convert(fields, School), [], reading.notes


def _commitment(reading: _Reading, label: Callable[[str], str]) -> Commitment | None:
    empty = [name for name in CONTRACT_COLUMNS if not reading.text(name)]
    provider = reading.value("provider", label)
    download_mbps = reading.value("contract_download_mbps", cell.rate_mbps)
    upload_mbps = reading.value("contract_upload_mbps", cell.rate_mbps)
    valid_from = reading.value("contract_from", cell.day)
    if empty and len(empty) < len(CONTRACT_COLUMNS):
        filled = next(name for name in CONTRACT_COLUMNS if name not in empty)
        reading.complain(filled, f"a contract is told whole or not at all; empty are {', '.join(empty)}")
    if provider is None or download_mbps is None or upload_mbps is None or valid_from is None:
        return None
    return Commitment(provider=provider, download_mbps=download_mbps, upload_mbps=upload_mbps, valid_from=valid_from)
