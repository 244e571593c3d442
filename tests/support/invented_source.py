"""The invented schools as a source of pages: documents built from a store in memory at a fixed time."""

from zoneinfo import ZoneInfo

from mektep_collector.access.scope import Scope
from mektep_collector.reports.build.fleet import FleetDocument, build_fleet
from mektep_collector.reports.build.school import SchoolDocument, build_school
from mektep_collector.store.store import Store
from tests.support import invented_schools as invented
from tests.support.memory_store import MemoryStore


def filled_memory_store() -> MemoryStore:
    """Return a store that holds the invented month."""
    store = MemoryStore(lambda school_id: invented.ZONE)
    store.put(invented.entries())
    return store


def zone_of(school_id: str) -> ZoneInfo:
    """Return the time zone of every invented school."""
    return invented.ZONE


class InventedSource:
    """Implements `mektep_dashboards.pages.PageSource` over any store that was given the invented entries."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def fleet(self, scope: Scope) -> FleetDocument:
        schools = [school for school in invented.SCHOOLS if scope.includes(school.region)]
        return build_fleet(schools, invented.DEVICES, self._store, invented.NOW)

    def school(self, school_id: str, scope: Scope) -> SchoolDocument | None:
        for school in invented.SCHOOLS:
            if school.id == school_id and scope.includes(school.region):
                return build_school(school, invented.DEVICES, self._store, invented.NOW, invented.LEARNING)
        return None
