"""Where the pages get their documents: register and store, as of now."""

from mektep_collector.clock import TimeSource
from mektep_collector.registry.registry import Registry
from mektep_collector.reports.build.fleet import FleetDocument, build_fleet
from mektep_collector.reports.build.school import SchoolDocument, build_school
from mektep_collector.store.store import Store


class RegisterAndStore:
    """Implements `mektep_dashboards.pages.PageSource`. Owns nothing: who opened register and store closes them."""

    def __init__(self, registry: Registry, store: Store, time: TimeSource) -> None:
        self._registry = registry
        self._store = store
        self._time = time

    def fleet(self) -> FleetDocument:
        """Return the document of all schools of the register."""
        return build_fleet(self._registry.schools.all(), self._registry.devices.all(), self._store, self._time.now())

    def school(self, school_id: str) -> SchoolDocument | None:
        """Return the document of one school, None for an id that the register does not know."""
        school = self._registry.schools.get(school_id)
        if school is None:
            return None
        return build_school(school, self._registry.devices.of_school(school_id), self._store, self._time.now())
