"""A report as a workbook of Excel (ISO/IEC 29500): a page that says what it is, and a sheet a table, cells typed.

The same document gives the same bytes: what the file says of its making is the period's last day.
"""

from datetime import UTC, datetime, time
from io import BytesIO
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from mektep_collector.reports.build.period.document import ReportDocument
from mektep_collector.reports.build.period.tests_by_column import Hours
from mektep_dashboards.i18n.catalogue import mark
from mektep_dashboards.i18n.speech import Speech
from mektep_dashboards.paper.report_tables import Cell, Kind, ReportTable, report_tables

_FORMATS: Final = {
    Kind.TEXT: "@",
    Kind.COUNT: "#,##0",
    Kind.SPEED: "#,##0.00",
    Kind.TIME: "#,##0.0",
    Kind.SHARE: "0.0%",
}
_WIDTHS: Final = {Kind.TEXT: 24, Kind.COUNT: 13, Kind.SPEED: 15, Kind.TIME: 13, Kind.SHARE: 14}
_INK: Final = "#0B3B5C"
_LANDSCAPE_A4: Final = 9


def workbook_bytes(document: ReportDocument, say: Speech) -> bytes:
    """Return the file in one language."""
    written = BytesIO()
    with Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        last_day = datetime.combine(document.period.last, time(), UTC).replace(tzinfo=None)
        book.set_properties({"title": _title(document, say), "created": last_day})
        formats = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
        head = book.add_format({
            "bold": True, "text_wrap": True, "valign": "top", "font_color": "#FFFFFF", "bg_color": _INK, "border": 1,
        })  # fmt: skip
        _about(book, document, say)
        for table in report_tables(document, say):
            _sheet(book.add_worksheet(table.title[:31]), table, formats, head)
    return written.getvalue()


def _title(document: ReportDocument, say: Speech) -> str:
    return f"{say.gettext(mark('Internet in schools'))} · {document.period.name}"


def _about(book: Workbook, document: ReportDocument, say: Speech) -> None:
    sheet = book.add_worksheet(say.gettext(mark("About this report"))[:31])
    bold, wrapped = book.add_format({"bold": True, "valign": "top"}), book.add_format({"text_wrap": True})
    title = book.add_format({"bold": True, "font_size": 16, "font_color": _INK})
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)
    sheet.write_string(0, 0, _title(document, say), title)
    hours = mark("school hours alone") if document.hours is Hours.SCHOOL else mark("all hours")
    days = f"{say.full_day(document.period.first)} – {say.full_day(document.period.last)}"
    whole = document.whole
    facts: list[tuple[str, Cell]] = [
        (mark("Days"), days),
        (mark("School days among them"), document.school_days_count),
        (mark("Tests that count"), say.gettext(hours)),
        (mark("Schools in the register"), whole.schools_count),
        (mark("Schools with data"), whole.reporting_count),
        (mark("Schools with enough tests"), whole.judged_count),
        (mark("Of them at the norm"), whole.met_count),
        (mark("Tests with a result"), whole.tests_count),
        (mark("Failed tests"), whole.failed_count),
        (mark("How to read"), say.gettext(_HOW)),
        (mark("Program"), f"Mektep Meter {document.version}"),
        (mark("SHA-256 of the runs"), document.data_hash),
    ]
    for row, (name, value) in enumerate(facts, 2):
        sheet.write_string(row, 0, say.gettext(name), bold)
        sheet.write(row, 1, value, wrapped)


_HOW = mark(
    "A failed test counts against availability and is never 0 Mbit/s. Nineteen of twenty intervals hold the true "
    "value. A school is judged on 30 tests or more; a region, provider or connection on five schools and 30 tests or "
    "more. An empty cell means insufficient data, not zero."
)


def _sheet(sheet: Worksheet, table: ReportTable, formats: dict[Kind, Format], head: Format) -> None:
    sheet.set_landscape()
    sheet.set_paper(_LANDSCAPE_A4)
    sheet.repeat_rows(0)
    sheet.fit_to_pages(1, 0)
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 48)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, _WIDTHS[column.kind], formats[column.kind])
        sheet.write_string(0, place, column.title, head)
    for number, row in enumerate(table.rows, 1):
        for place, (column, value) in enumerate(zip(table.columns, row, strict=True)):
            if isinstance(value, str):
                sheet.write_string(number, place, value, formats[Kind.TEXT])
            elif value is not None:
                sheet.write_number(number, place, value, formats[column.kind])
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
