"""The sheet of join codes as a browser prints it: on A4, in whole blocks, every code readable."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from mektep_collector.cli.joining import joining_command, joining_link
from mektep_dashboards.i18n.language import Language
from mektep_dashboards.paper.code_sheet import CodeSheet, SheetCode, code_sheet
from tests.support.browser import chromium

pytestmark = pytest.mark.peer

ADDRESS = "https://internet.bilim-basqarmasy.example.kz:8443"
LONG_NAME = "«Ұлы дала мұрагерлері» атындағы №125 мамандандырылған физика-математика мектеп-интернаты КММ " * 2
PIXELS_OF_MM = 96 / 25.4
PRINTED_MM = (186.0, 275.0)
"""A4 without the margins that the sheet asks for."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def _sheet(count: int, name: str = "№7 мектеп") -> CodeSheet:
    codes = [f"k3v{number:03}.0123456789abcdef" for number in range(count)]
    return CodeSheet(
        school_id="000000000001",
        school_name=name,
        time_zone="Asia/Almaty",
        codes=[
            SheetCode(
                code=code,
                command=joining_command(ADDRESS, code),
                link=joining_link(ADDRESS, code),
                expires_at=datetime(2026, 11, 26, 7, 0, tzinfo=UTC),
            )
            for code in codes
        ],
    )


def _opened(browser: Browser, folder: Path, sheet: CodeSheet, languages: list[Language]) -> Page:
    file = folder / "codes.html"
    file.write_text(code_sheet(sheet, languages), "utf-8")
    page = browser.new_page(viewport={"width": round(PRINTED_MM[0] * PIXELS_OF_MM), "height": 1_000})
    page.emulate_media(media="print")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(file.as_uri())
    assert asked == [file.as_uri()], "a sheet asks for nothing, and no rule of its own stands in its way"
    return page


def _pages(heights: list[float]) -> int:
    """Return how many pages take blocks of these heights, none of them divided."""
    pages, room = 1, PRINTED_MM[1]
    for height in heights:
        if height > room:
            pages, room = pages + 1, PRINTED_MM[1]
        room -= height
    return pages


@pytest.mark.parametrize("name", ["№7 мектеп", LONG_NAME], ids=["a short name", "a long name"])
@pytest.mark.parametrize("languages", [list(Language), [Language.KK]], ids=["three languages", "Kazakh alone"])
def test_blocks_are_printed_on_a4_and_never_divided(
    browser: Browser, tmp_path: Path, languages: list[Language], name: str
) -> None:
    page = _opened(browser, tmp_path, _sheet(30, name), languages)
    boxes = [block.bounding_box() for block in page.locator(".block").all()]
    heights = [box["height"] / PIXELS_OF_MM for box in boxes if box]
    assert len(heights) == 30
    assert max(heights) < PRINTED_MM[1] / (3 if len(languages) > 1 else 4), "some on each page"
    printed = page.pdf(prefer_css_page_size=True)
    sizes = {tuple(round(float(edge)) for edge in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]+)", printed)}
    assert sizes == {(0, 0, 595, 842)}, "A4 in points"
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert pages == _pages(heights)
    if len(languages) > 1:
        assert pages > math.ceil(sum(heights) / PRINTED_MM[1]), "divided blocks would fit on fewer pages"
    page.close()


def test_a_code_is_large_on_one_line_and_everything_stays_within_the_paper(browser: Browser, tmp_path: Path) -> None:
    page = _opened(browser, tmp_path, _sheet(4, LONG_NAME), list(Language))
    for code in page.locator(".code").all():
        box = code.bounding_box()
        assert box is not None
        assert 15 * 96 / 72 < box["height"] < 2 * 15 * 96 / 72, "one line of 15 points at least"
        assert code.evaluate("node => node.scrollWidth <= node.clientWidth"), "no letter is cut off or covered"
    square = page.locator(".square").first.bounding_box()
    assert square is not None
    assert square["width"] == square["height"] > 35 * PIXELS_OF_MM
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()
