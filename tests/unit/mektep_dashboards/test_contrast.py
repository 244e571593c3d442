"""Colours of the style sheet: 4.5:1 for text, 3:1 for marks (WCAG 2.2, 1.4.3 and 1.4.11), in light and in dark."""

import re
from importlib.resources import files

import pytest

SHEET = (files("mektep_dashboards") / "static" / "mektep.css").read_text("utf-8")
LIGHT_BLOCK, DARK_BLOCK = re.findall(r":root \{(.*?)\n\s*\}", SHEET, re.DOTALL)[:2]


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", block))


LIGHT = _colours(LIGHT_BLOCK)
SCHEMES = {"light": LIGHT, "dark": LIGHT | _colours(DARK_BLOCK)}
TEXTS = [
    *((text, ground) for text in ("ink", "quiet", "accent", "bad", "good") for ground in ("ground", "sheet")),
    *((name, f"{name}-soft") for name in ("good", "bad", "short", "unknown")),
    ("accent", "accent-soft"),
    ("sheet", "accent"),
    ("sheet", "ink"),
    ("contract", "sheet"),
    ("norm", "sheet"),
    ("short", "sheet"),
    ("ink", "sunk"),
]
MARKS = [
    *((mark, "sheet") for mark in ("run", "median", "norm", "contract", "good-mark", "bad-mark", "short-mark")),
    ("unknown-mark", "sheet"),
    ("bad-mark", "sunk"),
    ("bad-mark", "sheet"),
]


def _luminance(colour: str) -> float:
    text = colour[1:]
    if len(text) == 3:
        text = "".join(letter * 2 for letter in text)
    parts = [int(text[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_that_of_the_standard() -> None:
    assert _contrast("#000", "#fff") == pytest.approx(21.0)
    assert _contrast("#0072b2", "#ffffff") == pytest.approx(5.19, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_can_be_read(text: str, ground: str, scheme: str) -> None:
    colours = SCHEMES[scheme]
    assert _contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("mark", "ground"), MARKS)
def test_marks_can_be_seen(mark: str, ground: str, scheme: str) -> None:
    colours = SCHEMES[scheme]
    assert _contrast(colours[mark], colours[ground]) >= 3.0


def test_the_style_sheet_asks_no_other_host() -> None:
    assert not re.search(r"url\(|@import|//[a-z]", SHEET)
