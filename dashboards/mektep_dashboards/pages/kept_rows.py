"""Rows of the fleet's table as they were rendered, for as long as the fleet's document stands.

The first page of the list is what most people open, and its rows change only with the document.
"""

from collections.abc import Callable
from threading import Lock
from typing import Final

from markupsafe import Markup

from mektep_collector.reports.build.fleet import FleetRow

_KEPT_COUNT: Final = 500


class KeptRows:
    """Rows of one language, some hundreds at most. Safe for many threads."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[FleetRow, Markup]] = {}
        self._lock = Lock()

    def __call__(self, row: FleetRow, render: Callable[[FleetRow], Markup]) -> Markup:
        """Return the row rendered; once, as long as it is the same object of the same document."""
        kept = self._rows.get(row.school_id)
        if kept is not None and kept[0] is row:
            return kept[1]
        rendered = render(row)
        with self._lock:
            if len(self._rows) >= _KEPT_COUNT:
                self._rows.clear()
            self._rows[row.school_id] = (row, rendered)
        return rendered
