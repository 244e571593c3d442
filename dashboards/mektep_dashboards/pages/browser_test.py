"""The page on which a browser tests itself, for schools where nothing can be installed: rendered in each language.

The measuring server shows it beside its tests, so that script, tests and page come from one address over plain HTTP.
"""

from collections.abc import Mapping

import msgspec

from mektep_dashboards.i18n.language import Language, choose
from mektep_dashboards.pages.assets import read_assets
from mektep_dashboards.pages.rendering import Rendering

ADDRESS = "/test"
_NAMES = frozenset({"mektep.css", "mektep.js", "measure.js", "icon.svg"})


class Document(msgspec.Struct, frozen=True):
    """Something to show: its media type, its bytes, and whether it never changes at its address."""

    media_type: str
    body: bytes
    is_lasting: bool


class BrowserTest:
    """The page and what it needs, all rendered once."""

    def __init__(self) -> None:
        assets = read_assets()
        rendering = Rendering(assets)
        self._pages = {
            language: Document(
                "text/html; charset=utf-8", rendering.render("measure.html", language, ADDRESS, {}).encode(), False
            )
            for language in Language
        }
        self._assets: Mapping[str, Document] = {
            asset.address: Document(asset.media_type, asset.body, True)
            for name, asset in assets.items()
            if name in _NAMES
        }

    def find(self, path: str, asked: str | None, accept: str | None) -> Document | None:
        """Return what is at `path`; `asked` is the language that the address names, `accept` the browser's header."""
        if path == ADDRESS:
            return self._pages[choose(asked, None, accept)]
        return self._assets.get(path)
