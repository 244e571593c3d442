"""A report's workbook, opened by another library: what was counted is what the cells say, in each language."""

import math
from io import BytesIO

import msgspec
import pytest
from openpyxl import load_workbook

from mektep_collector.reports.build.period.document import ReportDocument
from mektep_dashboards.i18n.language import Language
from mektep_dashboards.i18n.speech import Speech
from mektep_dashboards.paper.report_tables import report_tables
from mektep_dashboards.paper.workbook import workbook_bytes
from tests.support.invented_report import invented_report

TITLES = {
    Language.KK: ["Осы есеп туралы", "Облыстар мен қалалар", "Провайдерлер", "Байланыс түрлері", "Мектептер"],
    Language.RU: ["Об этом отчёте", "Области и города", "Провайдеры", "Виды связи", "Школы"],
    Language.EN: ["About this report", "Regions", "Providers", "Connections", "Schools"],
}


def _is_same(found: object, told: object) -> bool:
    """Compare cells as far as a workbook keeps them: fifteen digits of a number, and nothing for an empty text."""
    if isinstance(found, int | float) and isinstance(told, int | float):
        return math.isclose(found, told, rel_tol=1e-14)
    return found == (None if told == "" else told)


@pytest.fixture(scope="module")
def document() -> ReportDocument:
    return invented_report()


@pytest.mark.parametrize("language", Language)
def test_every_cell_is_what_the_document_says_with_its_type(document: ReportDocument, language: Language) -> None:
    book = load_workbook(BytesIO(workbook_bytes(document, Speech(language))))
    assert book.sheetnames == TITLES[language]
    for sheet, table in zip(book.worksheets[1:], report_tables(document, Speech(language)), strict=True):
        cells = [list(row) for row in sheet.iter_rows(values_only=True)]
        assert cells[0] == [column.title for column in table.columns]
        for found, row in zip(cells[1:], table.rows, strict=True):
            assert all(_is_same(*pair) for pair in zip(found, row, strict=True)), (found, row)
        assert sheet.freeze_panes == "B2"


def test_a_number_with_leading_zeros_stays_text_and_a_name_is_no_formula(document: ReportDocument) -> None:
    first = msgspec.structs.replace(document.schools[0], school_id="0071", name="=HYPERLINK(1)")
    changed = msgspec.structs.replace(document, schools=[first])
    sheet = load_workbook(BytesIO(workbook_bytes(changed, Speech(Language.EN))))["Schools"]
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("0071", "s")
    assert (sheet["B2"].value, sheet["B2"].data_type) == ("=HYPERLINK(1)", "s")


def test_a_group_that_is_too_thin_has_empty_cells_and_no_zeros(document: ReportDocument) -> None:
    thin = [group for group in document.regions if not group.is_told]
    assert thin
    table = report_tables(document, Speech(Language.EN))[0]
    titles = [column.title for column in table.columns]
    row = table.rows[document.regions.index(thin[0])]
    told = dict(zip(titles, row, strict=True))
    assert told["Schools in the register"] == thin[0].schools_count
    assert told["Download, median, Mbit/s"] is None
    assert told["Share of schools at the norm"] is None


def test_the_same_document_gives_the_same_bytes(document: ReportDocument) -> None:
    assert workbook_bytes(document, Speech(Language.KK)) == workbook_bytes(document, Speech(Language.KK))
