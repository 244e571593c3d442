"""Text in the places where InfluxDB reads it as something else: tags and fields of points, and words of questions.

Line protocol cannot carry a tag that ends in a backslash, and no line may hold a line's end, so both are told in the
way of addresses on the web (RFC 3986, section 2.1); ids as registers give them are not changed by that.
"""

from collections.abc import Sequence
from urllib.parse import unquote

_TOLD_APART = str.maketrans({"%": "%25", "\\": "%5C", "\n": "%0A", "\r": "%0D", "\t": "%09"})
_ESCAPED = str.maketrans({" ": "\\ ", ",": "\\,", "=": "\\="})


def stored_tag(text: str) -> str:
    """Return text as InfluxDB keeps it in a tag."""
    return text.translate(_TOLD_APART)


def tag_text(text: str) -> str:
    """Return text as a tag's value in line protocol."""
    return stored_tag(text).translate(_ESCAPED)


def field_text(text: str) -> str:
    """Return text as a field's value in line protocol."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def text_of_tag(tag: str) -> str:
    """Return the text that InfluxDB keeps as this tag."""
    return unquote(tag) if "%" in tag else tag


def quoted(value: str) -> str:
    """Return text as a value of InfluxQL."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def named(name: str) -> str:
    """Return text as a name of InfluxQL: of a measurement, a tag or a field."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def is_one_of(tag: str, texts: Sequence[str]) -> str:
    """Return the condition that a tag holds one of the texts, of which there is at least one."""
    return "(" + " OR ".join(f"{named(tag)} = {quoted(stored_tag(text))}" for text in texts) + ")"
