"""The fleet's document, as the pages get it: made anew for each reader where that is quick, kept where it is not."""

import logging
import threading
from collections.abc import Callable
from typing import Final

import msgspec

from mektep_collector.access.scope import WHOLE_COUNTRY, Scope
from mektep_collector.clock import TimeSource
from mektep_collector.reports.build.fleet import FleetDocument

_LOG = logging.getLogger(__name__)
QUICK_S: Final = 0.15
"""A document that took longer is kept, and made by another process from then on."""
PAUSE_S: Final = 20.0
"""So long after a kept document was made the next one is begun."""

Make = Callable[[], FleetDocument]


class FleetKeeper:
    """Gives documents within a scope. Safe for many threads.

    `make` makes the whole country's here and now, `make_apart` in a process of its own; both may raise. `run_round`,
    called again and again, renews what is kept.
    """

    def __init__(self, make: Make, make_apart: Make, time: TimeSource) -> None:
        self._make = make
        self._make_apart = make_apart
        self._time = time
        self._making = threading.Lock()
        self._kept: dict[Scope, FleetDocument] = {}

    def fleet(self, scope: Scope) -> FleetDocument:
        """Return the document of a scope. Raises what making it raises."""
        kept = self._kept
        if not kept:
            with self._making:  # those who come together wait for one document
                kept = self._kept or self._made_here()
        found = kept.get(scope)
        if found is None:
            found = kept[scope] = _within(kept[WHOLE_COUNTRY], scope)
        return found

    def run_round(self) -> None:
        """Renew the document that is kept, if one is. Raises what making it raises; then none is kept any more."""
        if not self._kept:
            return
        try:
            self._kept = {WHOLE_COUNTRY: self._make_apart()}
        except Exception:
            self._kept = {}  # who looks next is told why there is none
            raise

    def _made_here(self) -> dict[Scope, FleetDocument]:
        began_s = self._time.monotonic_s()
        made = {WHOLE_COUNTRY: self._make()}
        took_s = self._time.monotonic_s() - began_s
        if took_s > QUICK_S:
            _LOG.info("fleet_document_kept", extra={"took_s": round(took_s, 3), "renewed_every_s": PAUSE_S})
            self._kept = made
        return made


def _within(document: FleetDocument, scope: Scope) -> FleetDocument:
    return msgspec.structs.replace(document, rows=[row for row in document.rows if scope.includes(row.region)])
