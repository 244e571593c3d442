from markupsafe import Markup

from mektep_collector.access.scope import WHOLE_COUNTRY
from mektep_collector.reports.build.fleet import FleetRow
from mektep_dashboards.pages.kept_rows import KeptRows
from tests.support.invented_source import InventedSource, filled_memory_store


def test_a_row_is_rendered_once_as_long_as_it_is_the_same() -> None:
    first, second = InventedSource(filled_memory_store()).fleet(WHOLE_COUNTRY).rows[:2]
    rendered: list[str] = []

    def render(row: FleetRow) -> Markup:
        rendered.append(row.school_id)
        return Markup("<tr>") + row.name

    rows = KeptRows()
    assert rows(first, render) == rows(first, render) == Markup("<tr>") + first.name
    assert rows(second, render) == Markup("<tr>") + second.name
    assert rendered == [first.school_id, second.school_id]


def test_a_row_of_a_newer_document_is_rendered_anew() -> None:
    source = InventedSource(filled_memory_store())
    rows = KeptRows()
    older, newer = source.fleet(WHOLE_COUNTRY).rows[0], source.fleet(WHOLE_COUNTRY).rows[0]
    assert rows(older, lambda _: Markup("old")) == "old"
    assert rows(newer, lambda _: Markup("new")) == "new"
