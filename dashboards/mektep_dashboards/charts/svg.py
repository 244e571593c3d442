"""SVG as text that is safe by construction: every value is escaped, numbers are short."""

from collections.abc import Iterable

from markupsafe import Markup, escape


def tag(name: str, children: Iterable[Markup] | str = (), /, **attributes: str | float | None) -> Markup:
    """Return an element. Underscores in attribute names become hyphens; `class_` is `class`; None leaves one out.

    Text in place of children is escaped.
    """
    # A page holds some thousands of these, and Markup.format takes ten times as long as this.
    written = "".join(
        f' {_name(key)}="{escape(_value(value))}"' for key, value in attributes.items() if value is not None
    )
    inside = escape(children) if isinstance(children, str) else "".join([escape(child) for child in children])
    return Markup(f"<{name}{written}>{inside}</{name}>")  # noqa: S704 - every part is escaped above


def short(number: float) -> str:
    """Return a coordinate with at most one decimal."""
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _name(key: str) -> str:
    return {"class_": "class", "view_box": "viewBox"}.get(key, key.replace("_", "-"))


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else short(value)
