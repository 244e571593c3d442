"""The catalogues of messages, read from their .po files as they stand: nothing to compile, in a checkout or a wheel."""

from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from mektep_dashboards.i18n.language import Language


def mark(message: str) -> str:
    """Return the message as it is: the call tells the extraction that it is one, to be translated where it is shown."""
    return message


def read_catalogue(language: Language) -> Catalog:
    """Return the catalogue of a language. Raises babel's PoFileError for a file that cannot be understood."""
    place = files("mektep_dashboards") / "locale" / language.value / "LC_MESSAGES" / "messages.po"
    return read_po(BytesIO(place.read_bytes()), locale=language.value, abort_invalid=True)


def translations(language: Language) -> GNUTranslations:
    """Return the messages of a language, ready for use."""
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return GNUTranslations(compiled)
