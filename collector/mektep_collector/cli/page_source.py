"""Where the pages get their documents: register and store, as of now."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from mektep_collector.access.scope import Scope
from mektep_collector.cli.fleet_keeper import FleetKeeper, Make
from mektep_collector.clock import TimeSource
from mektep_collector.config import Config
from mektep_collector.config.lesson_needs import load_lesson_needs
from mektep_collector.registry.error import RegistryAway
from mektep_collector.registry.records import Device
from mektep_collector.registry.registry import Registry
from mektep_collector.reports.build.audits import Terms
from mektep_collector.reports.build.fleet import FleetDocument, build_fleet
from mektep_collector.reports.build.learning import Learning
from mektep_collector.reports.build.school import SchoolDocument, build_school
from mektep_collector.sla.audit import AuditTerms
from mektep_collector.store.error import StoreError
from mektep_collector.store.store import Store
from mektep_dashboards.pages.source import OutOfReachError

_HOUR_S = 3_600.0


@contextmanager
def _in_reach() -> Generator[None, None, None]:
    try:
        yield
    except (StoreError, RegistryAway) as error:
        raise OutOfReachError(str(error)) from error


def learning_of(config: Config) -> Learning:
    """Return what the operator's settings say of platforms and lessons; raises ConfigError."""
    needs = load_lesson_needs(Path(config.lesson_needs_file) if config.lesson_needs_file else None)
    return Learning(
        platforms=config.learning_platforms(),
        slow_after_ms=config.platform_slow_after_ms,
        needs=needs.activity,
        max_age_s=needs.max_age_h * _HOUR_S,
    )


class RegisterAndStore:
    """Implements `mektep_dashboards.pages.PageSource`. Owns nothing: who opened register and store closes them.

    `make_apart` makes the fleet's document in another process; who composes lets `keeper` use it again and again.
    """

    def __init__(
        self, registry: Registry, store: Store, time: TimeSource, learning: Learning, make_apart: Make | None = None
    ) -> None:
        self.keeper = FleetKeeper(self._fleet, make_apart or self._fleet, time)
        self._registry = registry
        self._store = store
        self._time = time
        self._learning = learning

    def fleet(self, scope: Scope) -> FleetDocument:
        """Return the document of all schools of the register within a scope."""
        with _in_reach():
            return self.keeper.fleet(scope)

    def school(self, school_id: str, scope: Scope) -> SchoolDocument | None:
        """Return the document of one school, None for an id that the register does not know within the scope."""
        with _in_reach():
            school = self._registry.schools.get(school_id)
            if school is None or not scope.includes(school.region):
                return None
            devices = self._registry.devices.of_school(school_id)
            return build_school(school, devices, self._store, self._time.now(), self._learning, self._terms(devices))

    def _fleet(self) -> FleetDocument:
        registry = self._registry
        return build_fleet(registry.schools.all(), registry.devices.all(), self._store, self._time.now())

    def _terms(self, devices: Iterable[Device]) -> Terms:
        terms = {}
        for device in devices:
            given = self._registry.assignments.given(device.id)
            if given is not None and given.audit_seed is not None:
                terms[device.id] = AuditTerms(seed=given.audit_seed, ratio=given.audit_ratio, since=given.issued_at)
        return terms
