"""Shelves of the documents that were asked for lately: a document that is kept is sorted once, not for each reader."""

import threading
from collections import OrderedDict
from typing import Final

from mektep_collector.reports.build.fleet import FleetDocument
from mektep_dashboards.pages.listing import Shelf

_KEPT_COUNT: Final = 32


class Shelves:
    """Remembers the shelves of some documents, by the documents themselves. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[FleetDocument, Shelf]] = OrderedDict()

    def of(self, document: FleetDocument) -> Shelf:
        """Return a document's shelf."""
        with self._lock:
            known = self._kept.get(id(document))
            if known is not None:  # it holds the document, so no other can have taken its place in memory
                return known[1]
        shelf = Shelf(document.rows)
        with self._lock:
            self._kept[id(document)] = (document, shelf)
            while len(self._kept) > _KEPT_COUNT:
                self._kept.popitem(last=False)
        return shelf
