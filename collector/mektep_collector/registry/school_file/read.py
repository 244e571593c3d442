"""Read a file of schools: CSV (RFC 4180) in UTF-8, cells divided by commas or semicolons, a header line first.

Every fault is found and told with its line and column. Spreadsheets are minded: byte order marks, semicolons, decimal
commas, dates with points, ids that were turned into numbers.
"""

import csv
import io
from collections.abc import Sequence

import msgspec

from mektep_collector.registry.records import School
from mektep_collector.registry.school_file.fault import Fault, SchoolFileError
from mektep_collector.registry.school_file.header import delimiter_of, read_header
from mektep_collector.registry.school_file.row import Row, read_row

MAX_FILE_BYTES = 33_554_432
_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")


class SchoolFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says: `columns` are those it has, `notes` what was mended on the way."""

    schools: Sequence[School]
    columns: frozenset[str]
    notes: Sequence[Fault]


def read_school_file(data: bytes) -> SchoolFile:
    """Read the bytes of a file; raises SchoolFileError with every fault."""
    text = _decoded(data)
    rows = _rows(text, delimiter_of(text))
    header = read_header(rows[0]) if rows else read_header(Row(1, []))
    schools: list[School] = []
    faults: list[Fault] = []
    notes: list[Fault] = []
    first_lines: dict[str, int] = {}
    for row in rows[1:]:
        school, wrong, mended = read_row(row, header)
        faults += wrong
        notes += mended
        if school is None:
            continue
        if school.id in first_lines:
            place = header.index("school_id") + 1
            reason = f"{school.id!r} stands in line {first_lines[school.id]} too; a school has one line"
            faults.append(Fault(line=row.line, column=place, name="school_id", reason=reason))
            continue
        first_lines[school.id] = row.line
        schools.append(school)
    if not rows[1:]:
        faults.append(Fault(line=1, column=0, name="", reason="no school follows the header"))
    if faults:
        raise SchoolFileError(faults)
    notes += _short_ids(schools, first_lines, header.index("school_id") + 1)
    return SchoolFile(schools=schools, columns=frozenset(header), notes=notes)


def _decoded(data: bytes) -> str:
    if len(data) > MAX_FILE_BYTES:
        raise _whole(f"the file has {len(data)} bytes; the most is {MAX_FILE_BYTES}")
    if data.startswith(_OTHER_MARKS):
        raise _whole("this is UTF-16; save it again as `CSV UTF-8`")
    try:
        text = data.removeprefix(_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        before = data.removeprefix(_MARK)[: error.start]
        line = before[before.rfind(b"\n") + 1 :]
        delimiter = delimiter_of(data[: data.find(b"\n") + 1 or None].decode("utf-8", "replace"))
        raise SchoolFileError(
            [
                Fault(
                    line=before.count(b"\n") + 1,
                    column=line.count(delimiter.encode()) + 1,
                    name="",
                    reason="this is not UTF-8, perhaps Windows-1251; save the file again as `CSV UTF-8`",
                )
            ]
        ) from None
    if "\0" in text:
        raise _whole("this is no text file: it holds a zero byte; save the table as `CSV UTF-8`")
    return text


def _rows(text: str, delimiter: str) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reason = f"the quotes are not as CSV wants them: {error}; in a quoted cell a quote is doubled"
            raise SchoolFileError([Fault(line=line, column=0, name="", reason=reason)]) from None
        if cells is None:
            return rows
        if any(cell.strip() for cell in cells):
            rows.append(Row(line, [cell.strip() for cell in cells]))
        line = reader.line_num + 1


def _short_ids(schools: Sequence[School], lines: dict[str, int], column: int) -> list[Fault]:
    """Note ids that may have lost a leading zero: digits alone, shorter than nearly all others."""
    lengths = [len(school.id) for school in schools if school.id.isdigit()]
    usual = max(set(lengths), key=lengths.count) if lengths else 0
    if not lengths or lengths.count(usual) * 10 < len(schools) * 6:
        return []
    return [
        Fault(
            line=lines[school.id],
            column=column,
            name="school_id",
            reason=f"{school.id!r} has {len(school.id)} digits where most have {usual}: spreadsheets drop zeros",
        )
        for school in schools
        if school.id.isdigit() and len(school.id) < usual
    ]


def _whole(reason: str) -> SchoolFileError:
    return SchoolFileError([Fault(line=1, column=0, name="", reason=reason)])
