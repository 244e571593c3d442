"""The grid as a picture: for each way of each link, how far each figure is off the truth. SVG, nothing else needed."""

from collections.abc import Sequence
from html import escape

from tests.bench.grid.entry import Kind
from tests.bench.grid.verdict import Row

ROW_PX = 15
LEFT_PX = 250
WIDTH_PX = 900
TOP_PX = 56
REACH = 0.40
_COLOURS = {"frugal": "#0b6e4f", "full": "#b35900", "ndt7": "#6b4c9a"}


def picture(rows: Sequence[Row]) -> str:
    """Return the SVG: a line for each way of each link, errors from -40 % to +40 %, farther ones at the edge."""
    height = TOP_PX + ROW_PX * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {height}" font-family="sans-serif" '
        'font-size="10" role="img"><title>Error of each test against the truth, by link</title>',
        f'<rect width="{WIDTH_PX}" height="{height}" fill="#fff"/>',
        f'<rect x="{_x(-0.05):.1f}" y="{TOP_PX - 6}" width="{_x(0.05) - _x(-0.05):.1f}" '
        f'height="{ROW_PX * len(rows) + 6}" fill="#e3f1ea"/>',
    ]
    for step in range(-4, 5):
        x = _x(step / 10)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP_PX - 6}" y2="{height - 24}" stroke="#ccc"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP_PX - 10}" text-anchor="middle" fill="#333">{step * 10:+d} %</text>')
    names = (("frugal", "frugal, each run"), ("full", "full length"), ("ndt7", "NDT7: bytes over 10 s"))
    for place, (name, words) in enumerate(names):
        parts.append(_mark(name, LEFT_PX + 20 + 170 * place, 16))
        parts.append(f'<text x="{LEFT_PX + 30 + 170 * place}" y="20" fill="#111">{words}</text>')
    parts.append('<text x="8" y="20" fill="#111">green band: within 5 %</text>')
    for place, row in enumerate(rows):
        y = TOP_PX + ROW_PX * place + ROW_PX / 2
        arrow = "down" if row.direction.value == "download" else "up"
        note = " *" if row.kind is Kind.UNFILLED else ""
        parts.append(f'<text x="8" y="{y + 3:.1f}" fill="#111">{escape(row.entry.name)}, {arrow}{note}</text>')
        whole = row.outcome.full_length
        if whole is not None:
            parts.append(_mark("ndt7", _x(whole.ndt7_mbps / row.truth_mbps - 1), y))
            parts.append(_mark("full", _x(row.error_ratio(whole)), y))
        parts += [_mark("frugal", _x(row.error_ratio(each)), y) for each in row.outcome.frugal]
    parts.append(
        f'<text x="8" y="{height - 8}" fill="#333">'
        "* one flow of this sender cannot fill the link: shown, not judged</text>"
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(error: float) -> float:
    held = min(max(error, -REACH), REACH)
    return LEFT_PX + (held + REACH) / (2 * REACH) * (WIDTH_PX - LEFT_PX - 20)


def _mark(name: str, x: float, y: float) -> str:
    """Return a mark whose form tells as much as its colour."""
    colour = _COLOURS[name]
    if name == "frugal":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
    if name == "full":
        return f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="none" stroke="{colour}"/>'
    return f'<path d="M{x:.1f} {y - 4:.1f}l4 7h-8z" fill="none" stroke="{colour}"/>'
