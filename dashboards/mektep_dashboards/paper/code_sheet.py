"""The sheet of join codes: one block a code, to be printed, cut apart and handed out."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import segno
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mektep_dashboards.i18n.catalogue import mark
from mektep_dashboards.i18n.language import Language
from mektep_dashboards.i18n.speech import Speech

_TASK = mark("Join code for one computer, good once.")
_UNTIL = mark("Good until:")
_HOW = mark("Type the command above on that computer.")
_SECRET = mark("Show it to nobody else.")


class SheetCode(msgspec.Struct, frozen=True, kw_only=True):
    """One code: as it is typed, the whole command, and the text that the square holds."""

    code: str
    command: str
    link: str
    expires_at: datetime


class CodeSheet(msgspec.Struct, frozen=True, kw_only=True):
    """All that a sheet says. Times are shown in the school's zone."""

    school_id: str
    school_name: str
    time_zone: str
    codes: Sequence[SheetCode]


class _Told(msgspec.Struct, frozen=True):
    language: str
    task: str
    until: str
    moment: str
    how: str
    secret: str


def code_sheet(sheet: CodeSheet, languages: Sequence[Language]) -> str:
    """Return a sheet as one HTML page that asks for nothing else; each block says everything in all `languages`."""
    environment = Environment(
        loader=PackageLoader("mektep_dashboards"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    speeches = [Speech(language) for language in languages]
    blocks = [
        (one, square(one.link), [_told(speech, one.expires_at, sheet.time_zone) for speech in speeches])
        for one in sheet.codes
    ]
    return environment.get_template("code_sheet.html").render(sheet=sheet, blocks=blocks, language=languages[0].value)


def square(text: str) -> Markup:
    """Return a text as a QR code (ISO/IEC 18004), SVG with its quiet zone, black on white whatever the page's colours.

    At least 15 % of it may be spoiled, as paper in a school is.
    """
    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(border=4, dark="#000", light="#fff", svgclass="square", lineclass=None, omitsize=True)
    return Markup(drawn)  # noqa: S704 (drawn by segno from numbers alone)


def _told(speech: Speech, expires_at: datetime, time_zone: str) -> _Told:
    return _Told(
        language=speech.language.value,
        task=speech.gettext(_TASK),
        until=speech.gettext(_UNTIL),
        moment=speech.full_minute(expires_at, time_zone),
        how=speech.gettext(_HOW),
        secret=speech.gettext(_SECRET),
    )
