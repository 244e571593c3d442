"""Collect the pages' messages from code and templates, and bring the three catalogues up to date.

`python -m tests.support.extract_messages` merges: what is new comes untranslated, what is gone leaves, the rest stays.
A test fails while a catalogue lacks a message, so a change of words ends with this command and three translations.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).parents[2] / "dashboards" / "mektep_dashboards"
LANGUAGES = ("kk", "ru", "en")
_KEYWORDS = {"gettext": None, "_": None, "mark": None, "ngettext": (1, 2)}
_METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
_OPTIONS = {"**.html": {"trimmed": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}}


def extracted() -> Catalog:
    """Return a catalogue of all messages that code and templates name, with the files that name them."""
    catalogue = Catalog(project="Mektep Meter", charset="utf-8", fuzzy=False)
    found = extract_from_dir(PACKAGE, _METHODS, _OPTIONS, _KEYWORDS)
    for file, _line, message, _comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        catalogue.add(message, None, [(file.replace("\\", "/"), 0)], context=context)
    return catalogue


def place(language: str) -> Path:
    """Return where the catalogue of a language lies."""
    return PACKAGE / "locale" / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """Return the catalogue of a language, empty where there is none yet."""
    file = place(language)
    if not file.exists():
        return Catalog(locale=language, project="Mektep Meter", charset="utf-8", fuzzy=False)
    return read_po(BytesIO(file.read_bytes()), locale=language)


def update(language: str) -> None:
    """Write the catalogue of a language anew; the English one translates a message by itself."""
    catalogue = read(language)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    for message in catalogue:
        message.flags.discard("fuzzy")
        if language == "en" and message.id:
            message.string = message.id
    written = BytesIO()
    write_po(written, catalogue, width=118, omit_header=False, include_lineno=False, sort_output=False)
    place(language).parent.mkdir(parents=True, exist_ok=True)
    lines = [line for line in written.getvalue().split(b"\n") if not line.startswith(_MOVING)]
    place(language).write_bytes(b"\n".join(lines).rstrip() + b"\n")


_MOVING = (
    b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Last-Translator', b'"Generated-By', b'"Report-Msgid',
    b'"Language-Team', b'"Project-Id-Version',
)  # fmt: skip
"""Lines of a header that change by themselves or say nothing."""

if __name__ == "__main__":
    for one in LANGUAGES:
        update(one)
