"""The first line: which column is which."""

import difflib

from mektep_collector.registry.school_file.columns import COLUMNS, REQUIRED_COLUMNS
from mektep_collector.registry.school_file.fault import Fault, SchoolFileError
from mektep_collector.registry.school_file.row import Row


def delimiter_of(text: str) -> str:
    """Return what divides the cells, as the first line shows: a semicolon, as many spreadsheets write, or a comma."""
    first = text.lstrip().split("\n", 1)[0]
    return ";" if first.count(";") > first.count(",") else ","


def read_header(row: Row) -> list[str]:
    """Return the names of the columns in their order; raises SchoolFileError for unknown, doubled or missing ones."""
    names = [cell.casefold() for cell in row.cells]
    faults = []
    for index, name in enumerate(names):
        reason = _complaint(name, names[:index])
        if reason:
            faults.append(Fault(line=row.line, column=index + 1, name="", reason=reason))
    faults += [
        Fault(line=row.line, column=0, name="", reason=f"the column {name!r} is missing")
        for name in REQUIRED_COLUMNS
        if name not in names
    ]
    if faults:
        raise SchoolFileError(faults)
    return names


def _complaint(name: str, before: list[str]) -> str:
    if name in before:
        return f"the column {name!r} stands twice"
    if name in COLUMNS:
        return ""
    if "\t" in name:
        return "the cells are divided by tabs; save the file with commas or semicolons"
    nearest = difflib.get_close_matches(name, COLUMNS, n=1)
    if nearest:
        return f"no column is named {name!r}; did you mean {nearest[0]!r}?"
    return f"no column is named {name!r}; there are {', '.join(COLUMNS)}"
