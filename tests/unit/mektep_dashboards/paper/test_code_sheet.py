"""The sheet of join codes: each code in one block, with all that is needed, in Kazakh first."""

import re
from datetime import UTC, datetime

import pytest
import segno

from mektep_dashboards.i18n.language import Language
from mektep_dashboards.paper.code_sheet import CodeSheet, SheetCode, code_sheet, square

EXPIRES_AT = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)
CODES = [f"abc12{number}.0123456789abcdef" for number in range(3)]
SHEET = CodeSheet(
    school_id="0007",
    school_name="№7 <Өрлеу> мектебі",
    time_zone="Asia/Almaty",
    codes=[
        SheetCode(code=code, command=f"type {code}", link=f"mektep:{code}", expires_at=EXPIRES_AT) for code in CODES
    ],
)
MOMENTS = {
    Language.KK: "2026 ж. 26 қараша, 12:00 (UTC+05)",
    Language.RU: "26 ноября 2026 г., 12:00 (UTC+05)",
    Language.EN: "26 November 2026, 12:00 (UTC+05)",
}


def _blocks(page: str) -> list[str]:
    return re.findall(r'<article class="block">.*?</article>', page, re.DOTALL)


def _modules(svg: str) -> set[tuple[int, int]]:
    """Return the dark squares that the strokes of the picture cover, without its quiet zone of four."""
    (drawn,) = re.findall(r'stroke="#000" d="([^"]+)"', svg)
    dark: set[tuple[int, int]] = set()
    x, y = 0.0, 0.0
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", drawn):
        if command == "M":
            x, y = float(first), float(second)
        elif command == "m":
            x, y = x + float(first), y + float(second)
        else:
            dark |= {(int(x) - 4 + step, int(y - 0.5) - 4) for step in range(int(first))}
            x += float(first)
    return dark


def test_each_code_has_a_block_of_its_own_and_stands_in_no_other() -> None:
    blocks = _blocks(code_sheet(SHEET, list(Language)))
    assert [re.findall(r"abc12\d\.0123456789abcdef", block) for block in blocks] == [[code] * 2 for code in CODES]
    assert [re.findall(r'class="code">([^<]+)<', block) for block in blocks] == [[code] for code in CODES]
    assert all(f'class="command">type {code}<' in block for code, block in zip(CODES, blocks, strict=True))


def test_each_block_says_everything_in_each_language_kazakh_first_with_the_schools_own_time() -> None:
    for block in _blocks(code_sheet(SHEET, list(Language))):
        assert re.findall(r'<dd lang="(\w+)"', block) == ["kk", "ru", "en"]
        assert [moment in block.replace("\u00a0", " ") for moment in MOMENTS.values()] == [True] * 3
        assert set("ғқңі") <= set(block.partition("<dl")[2].lower()), "Kazakh letters are Kazakh's own"


@pytest.mark.parametrize("language", Language)
def test_one_language_leaves_the_others_out(language: Language) -> None:
    page = code_sheet(SHEET, [language])
    assert set(re.findall(r'lang="(\w+)"', page)) == {language.value}
    shown = page.replace("\u00a0", " ")
    assert {each for each, moment in MOMENTS.items() if moment in shown} == {language}


def test_the_square_holds_the_link_and_nothing_else() -> None:
    for block, code in zip(_blocks(code_sheet(SHEET, list(Language))), CODES, strict=True):
        matrix = segno.make(f"mektep:{code}", error="m", micro=False).matrix
        wanted = {(x, y) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}
        assert _modules(block) == wanted


def test_a_square_of_a_long_address_bears_spots_too() -> None:
    assert segno.make("mektep:" + "x" * 300, error="m").error in {"M", "Q", "H"}
    assert 'fill="#fff"' in square("mektep:x"), "white beneath, whatever the paper's colour"


def test_a_name_that_looks_like_markup_stays_a_name_and_nothing_comes_from_elsewhere() -> None:
    page = code_sheet(SHEET, list(Language))
    assert "№7 &lt;Өрлеу&gt; мектебі" in page
    assert re.findall(r"\b(?:src=|href=|@import|url\()", page) == []
    assert re.findall(r"https?://(?!www\.w3\.org/)", page) == []
