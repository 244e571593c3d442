"""SVG as text that is safe by construction: every value is escaped, numbers are short."""

from collections.abc import Iterable

from markupsafe import Markup, escape


def tag(name: str, children: Iterable[Markup] | str = (), /, **attributes: str | float | None) -> Markup:
    """Return an element. Underscores in attribute names become hyphens; `class_` is `class`; None leaves one out.

    Text in place of children is escaped.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(_name(key), _value(value)) for key, value in attributes.items() if value is not None
    )
    inside = escape(children) if isinstance(children, str) else Markup("").join(children)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inside)


def short(number: float) -> str:
    """Return a coordinate with at most one decimal."""
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _name(key: str) -> str:
    return {"class_": "class", "view_box": "viewBox"}.get(key, key.replace("_", "-"))


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else short(value)
