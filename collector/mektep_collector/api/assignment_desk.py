"""Hands each device its assignment, and knows its version without asking the database each time."""

import threading
from collections import OrderedDict
from datetime import datetime

import msgspec

from mektep_collector.api.assignment_content import MeasuringPoints, compose_assignment
from mektep_collector.clock import TimeSource
from mektep_collector.config import Config
from mektep_collector.registry.assignments import Issued
from mektep_collector.registry.error import SchoolUnknown
from mektep_collector.registry.records import Device
from mektep_collector.registry.registry import Registry
from mektep_wire import Assignment

REMEMBERED_S = 60.0
"""For so long a receipt may name the version before a change."""
_REMEMBERED_COUNT = 100_000


class _Remembered(msgspec.Struct, frozen=True):
    version: int
    until_s: float


class AssignmentDesk:
    """Makes and signs assignments. Safe for many threads."""

    def __init__(self, registry: Registry, points: MeasuringPoints, config: Config, time: TimeSource) -> None:
        self._registry = registry
        self._points = points
        self._config = config
        self._time = time
        self._lock = threading.Lock()
        self._versions: OrderedDict[str, _Remembered] = OrderedDict()

    def issue(self, device: Device) -> Issued:
        """Return the assignment that holds now for a device; a new version when anything in it has changed.

        Raises SchoolUnknown.
        """
        school = self._registry.schools.get(device.school_id)
        if school is None:
            raise SchoolUnknown(device.school_id)

        def compose(version: int, issued_at: datetime) -> Assignment:
            return compose_assignment(school, device.id, self._points, self._config, version, issued_at)

        issued = self._registry.assignments.issue(device.id, compose, self._time.now())
        with self._lock:
            self._versions[device.id] = _Remembered(issued.version, self._time.monotonic_s() + REMEMBERED_S)
            self._versions.move_to_end(device.id)
            if len(self._versions) > _REMEMBERED_COUNT:
                self._versions.popitem(last=False)
        return issued

    def version(self, device: Device) -> int:
        """Return the version of `issue`, at most `REMEMBERED_S` old."""
        with self._lock:
            known = self._versions.get(device.id)
        if known is not None and self._time.monotonic_s() < known.until_s:
            return known.version
        return self.issue(device).version
