"""Flat rows as CSV: UTF-8 with its mark, so that spreadsheets see Kazakh letters for what they are (RFC 4180)."""

import csv
from collections.abc import Sequence
from io import StringIO

from mektep_collector.reports.flat import Row, columns_of

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(rows: Sequence[Row], separator: str = ",") -> bytes:
    """Return the file; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(columns_of(rows))
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: str | float | None) -> str | float:
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
